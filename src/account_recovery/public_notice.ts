import type { Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { listAllRunning, type SeenRecovery } from '../storage/tables/recovery_requests.ts';
import { listEndedSince } from '../storage/tables/recovery_rounds.ts';
import { HOUR } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** The field of the profile (client-server API 1.16, "Profiles"): others see it, and so does the owner. */
export const PUBLIC_FIELD = 'org.matrix.2fa.recovery';

const DAY = 24 * HOUR;
const SHOWN_MS = 90 * DAY;
/** How long it is looked for afterwards, so that it goes also where a homeserver is away on that day. */
const REMOVED_WITHIN_MS = 7 * DAY;
/** It is this program itself that asks. */
const OURSELVES = { ip: '127.0.0.1', proto: 'http', host: undefined } as const;

export interface PublicNoticeDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly homeserver: Pick<Homeserver, 'call'>;
  /** Our registration as an application service, which may write the profiles of its users. */
  readonly registration: { readonly asToken: string } | undefined;
  readonly isOn: boolean;
  readonly log: Log;
}

/**
 * Says in the profile of a user that their account is being recovered, and for 90 days after its end that it was. What the
 * profile shows is looked at first: a thief in the account may take the field out, and then it is put back.
 */
export class PublicNotice {
  constructor(private readonly deps: PublicNoticeDeps) {}

  async round(): Promise<void> {
    const { storage, isOn, registration } = this.deps;
    if (!isOn || registration === undefined) return;
    const ended = await storage.read(listEndedSince(SHOWN_MS + REMOVED_WITHIN_MS));
    const running = await storage.read(listAllRunning());
    // The newest of each user stands last.
    const newest = new Map([...ended, ...running].map((request) => [request.userId, request]));
    for (const request of newest.values()) await this.show(request, registration.asToken);
  }

  private async show(request: SeenRecovery, token: string): Promise<void> {
    const { homeserver, log } = this.deps;
    const { userId, endedAt, now } = request;
    const wanted = endedAt === null || now - endedAt < SHOWN_MS ? shownOf(request) : undefined;
    const path = `/_matrix/client/v3/profile/${encodeURIComponent(userId)}/${PUBLIC_FIELD}?user_id=${encodeURIComponent(userId)}`;
    try {
      const { status, json } = await homeserver.call({ method: 'GET', path, token, client: OURSELVES });
      const shown = status === 200 ? json?.[PUBLIC_FIELD] : undefined;
      if (isShown(shown, wanted)) return;
      const change =
        wanted === undefined
          ? ({ method: 'DELETE' } as const)
          : ({ method: 'PUT', body: { [PUBLIC_FIELD]: wanted } } as const);
      const answer = await homeserver.call({ ...change, path, token, client: OURSELVES });
      if (answer.status !== 200) {
        log.warn({ status: answer.status }, 'the homeserver does not take account_recovery.public_notice');
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log.warn({ reason: error.refusal }, 'the homeserver did not take account_recovery.public_notice');
    }
  }
}

function shownOf({ state, begunAt, endedAt }: SeenRecovery): JsonObject {
  return { state, begun_ts: begunAt, ...(endedAt !== null && { ended_ts: endedAt }) };
}

function isShown(shown: unknown, wanted: JsonObject | undefined): boolean {
  if (typeof shown !== 'object' || shown === null || wanted === undefined)
    return (shown === undefined || shown === null) && wanted === undefined;
  const found = new Map(Object.entries(shown));
  const names = Object.keys(wanted);
  return found.size === names.length && names.every((name) => found.get(name) === wanted[name]);
}
