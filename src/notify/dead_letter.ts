import type { Audit } from '../audit/audit.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  countDeadLetters,
  dropDeadLetters,
  type NoticeRow,
  reviveDeadLetters,
} from '../storage/tables/notices.ts';

/** A notice that was given up, as operators are shown it. */
export function shownDeadLetter({ id, channel, event, userId, happenedAt, attempts, failure }: NoticeRow) {
  return { id, channel, event, user_id: userId, at: happenedAt, attempts, failure };
}

/** What an operator does with dead letters. */
const DEEDS = {
  retry: { write: reviveDeadLetters, event: 'notice.retried' },
  drop: { write: dropDeadLetters, event: 'notice.dropped' },
} as const;

export interface DeadLettersDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly audit: Pick<Audit, 'recorded'>;
  /** Who does it, where that is not the operator at the command line. */
  readonly by?: string | undefined;
}

/**
 * Has dead letters sent again, or drops them, and puts that on record.
 * @param id of one of them; null for all
 * @param also what is written in the same commit
 * @returns how many they were
 */
export async function changeDeadLetters(
  { storage, audit, by }: DeadLettersDeps,
  deed: keyof typeof DEEDS,
  id: string | null,
  also: Write = [],
): Promise<number> {
  const { write, event } = DEEDS[deed];
  const entry = audit.recorded({ event, actor: by, detail: { notice: id ?? 'all' } });
  const [[counted]] = await storage.commit(
    [],
    [countDeadLetters(id), when(write(id), { won: [...entry, also], lost: [] })],
  );
  return counted?.count ?? 0;
}
