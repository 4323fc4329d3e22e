import { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import { Outbox } from '../notify/outbox.ts';
import type { Storage } from '../storage/storage.ts';
import type { Surroundings } from './surroundings.ts';

/** The audit of a command: what it puts on record is told, by a running `serve`, like all else. */
export function operatorAudit(
  { notify }: Pick<Config, 'notify'>,
  storage: Pick<Storage, 'audit'>,
  { clock, random }: Surroundings,
): Audit {
  const outbox = new Outbox({ notify: () => notify, random });
  return new Audit(storage.audit, clock, (record) => outbox.consequencesOf(record));
}
