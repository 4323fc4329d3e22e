import { type Decision, decide } from '../statement.ts';
import { currentVersion } from './accounts.ts';
import type { SessionState } from './sessions.ts';

/** The set-up that a session is completed by. */
export interface SetUpOfSession {
  readonly setupId: string;
  readonly begunBy: string;
  /** The stage that it completes. */
  readonly stage: string;
  /** The authenticator is the first of its user; or the sign-in had none to set up, and it replaces others. */
  readonly is: 'first' | 'replacing';
  /** The request to recover the account that it makes use of. */
  readonly recovers?: string | undefined;
}

/** In SQL: a unit that changes a request names its user, so it cannot change before the unit is written. */
const IS_RECOVERABLE = `AND EXISTS (SELECT 1 FROM recovery_requests WHERE recovery_requests.id = :recovers
  AND recovery_requests.user_id = sessions.user_id AND state = 'open' AND closes_at > :now)`;

/**
 * Appends the stage of a set-up, and takes the session over to the next version of the account, which the unit that this
 * stands in makes. Lost if the session is no longer what the request has read, or is under another version; if its user
 * has an authenticator where it is the first, or none where it replaces; if the set-up is gone or another
 * session's; or if the recovery that it makes use of is not open (R8).
 */
export function completeEnrolment(
  { idHash, completed, bodyDigest }: SessionState,
  { setupId, begunBy, stage, is, recovers }: SetUpOfSession,
): Decision<object> {
  const isFirst = is === 'first';
  const all = [...completed, stage];
  return decide(
    `UPDATE sessions SET completed = :completed, version = version + 1${isFirst ? '' : ', flows = :flows'}
     WHERE id_hash = :idHash AND completed = :expected AND body_digest IS NOT DISTINCT FROM :bodyDigest
       AND expires_at > :now AND version = ${currentVersion('sessions.user_id')}
       AND ${isFirst ? 'NOT ' : ''}EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = sessions.user_id)
       AND EXISTS (SELECT 1 FROM setups WHERE setups.id = :setupId AND setups.user_id = sessions.user_id
         AND setups.token_hash = :begunBy AND setups.expires_at > :now)
       ${recovers === undefined ? '' : IS_RECOVERABLE}`,
    {
      idHash,
      bodyDigest,
      setupId,
      begunBy,
      expected: JSON.stringify(completed),
      completed: JSON.stringify(all),
      ...(!isFirst && { flows: JSON.stringify([all]) }),
      ...(recovers !== undefined && { recovers }),
    },
  );
}
