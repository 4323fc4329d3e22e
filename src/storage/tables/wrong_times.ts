import { bothDialects, type Effect, effect } from '../statement.ts';
import { endDevicePasswordsOfTheFuture } from './device_passwords.ts';
import { endOauthGrantsOfTheFuture } from './oauth_grants.ts';
import { freeOauthSessionsOfTheFuture } from './oauth_sessions.ts';
import { endPageSessionsOfTheFuture } from './page_sessions.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Clocks of several processes differ by less. */
const SLACK = MINUTE;
/** What waits or lives without a time of beginning in its row does so for no longer. */
const LONGEST = HOUR;
/** A logout that failed is tried again within six hours. */
const LONGEST_PAUSE = 6 * HOUR;

/**
 * Ends what was written while the clock was ahead, or what the clock has jumped back behind: a row that begins in
 * the future has ended, and none waits or lives for longer than its kind may (attack 144). Nothing is given for it:
 * what has ended does not come back.
 * @param setupMs how long a set-up waits for its first code
 */
export function endWrongTimes(setupMs: number): readonly Effect[] {
  return [
    endHolds,
    freeHolds,
    ...endPageSessionsOfTheFuture(SLACK, LONGEST_PAUSE),
    ...endDevicePasswordsOfTheFuture(SLACK, LONGEST_PAUSE),
    ...endOauthGrantsOfTheFuture(SLACK, LONGEST),
    ...freeOauthSessionsOfTheFuture(SLACK + LONGEST_PAUSE, LONGEST),
    effect(`DELETE FROM sessions WHERE created_at > :now + ${SLACK}`),
    effect(`UPDATE session_turns SET taken_until = 0 WHERE taken_until > :now + ${LONGEST}`),
    effect(`DELETE FROM setups WHERE expires_at > :now + :setupMs + ${SLACK}`, { setupMs }),
    effect(`DELETE FROM challenges WHERE expires_at > :now + ${LONGEST}`),
    effect(`DELETE FROM sign_in_tokens WHERE expires_at > :now + ${LONGEST}`),
    effect(`DELETE FROM fresh_logins WHERE expires_at > :now + ${LONGEST}`),
    effect(
      `UPDATE passed_login_tokens SET ended = 1, expires_at = :now + ${LONGEST}
       WHERE expires_at > :now + ${LONGEST}`,
    ),
    effect(`DELETE FROM visits WHERE created_at > :now + ${SLACK} OR taken_until > :now + ${LONGEST}`),
    effect(`DELETE FROM emergency_codes WHERE created_at > :now + ${SLACK}`),
    effect(`DELETE FROM admin_answers WHERE expires_at > :now + 25 * ${HOUR}`),
    effect(`UPDATE lanes SET wait_until = :now WHERE wait_until > :now + ${LONGEST}`),
  ];
}

/** The next sweep logs them out. */
const endHolds = effect(
  bothDialects(
    ({ least }) =>
      `UPDATE holds SET expires_at = ${least}(expires_at, :now), claimant = NULL, claimed_until = 0,
         leased_until = ${least}(leased_until, :now)
       WHERE created_at > :now + ${SLACK} AND (expires_at > :now OR claimed_until > 0 OR leased_until > :now)`,
  ),
);

/** Older ones that were finished, or logged out, by a clock that was ahead. */
const freeHolds = effect(
  bothDialects(
    ({ least }) =>
      `UPDATE holds SET claimant = NULL, claimed_until = 0, leased_until = ${least}(leased_until, :now)
       WHERE claimed_until > :now + ${LONGEST} OR leased_until > :now + ${LONGEST_PAUSE} + ${SLACK}`,
  ),
);
