import { changeSome, dropSome } from '../dropping.ts';
import { bothDialects, type Effect } from '../statement.ts';
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
 * what has ended does not come back. Some rows of each table go at once: `dropInParts` does all.
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
    // What begins in the future ends there, too: the rows are found by their end.
    dropSome('sessions', `expires_at > :now + ${SLACK} AND created_at > :now + ${SLACK}`),
    dropSome('setups', `expires_at > :now + :setupMs + ${SLACK}`, { setupMs }),
    dropSome('challenges', `expires_at > :now + ${LONGEST}`),
    dropSome('sign_in_tokens', `expires_at > :now + ${LONGEST}`),
    dropSome('factor_tokens', `expires_at > :now + ${LONGEST}`),
    dropSome('fresh_logins', `expires_at > :now + ${LONGEST}`),
    changeSome(
      'passed_login_tokens',
      `ended = 1, expires_at = :now + ${LONGEST}`,
      `expires_at > :now + ${LONGEST}`,
    ),
    dropSome('visits', `created_at > :now + ${SLACK}`),
    dropSome('emergency_codes', `created_at > :now + ${SLACK}`),
    dropSome('admin_answers', `expires_at > :now + 25 * ${HOUR}`),
    changeSome('lanes', 'wait_until = :now', `wait_until > :now + ${LONGEST}`),
  ];
}

/** The next sweep logs them out. */
const endHolds = changeSome(
  'holds',
  bothDialects(
    ({ least }) =>
      `expires_at = ${least}(expires_at, :now), claimant = NULL, claimed_until = 0,
         leased_until = ${least}(leased_until, :now)`,
  ),
  `due_at > :now + ${SLACK} AND created_at > :now + ${SLACK}`,
);

/** Older ones that were finished, or logged out, by a clock that was ahead. */
const freeHolds = changeSome(
  'holds',
  bothDialects(
    ({ least }) => `claimant = NULL, claimed_until = 0, leased_until = ${least}(leased_until, :now)`,
  ),
  `due_at > :now + ${LONGEST}
     AND (claimed_until > :now + ${LONGEST} OR leased_until > :now + ${LONGEST_PAUSE} + ${SLACK})`,
);
