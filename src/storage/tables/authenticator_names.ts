import { HOUR } from '../../system/clock.ts';
import { ask, type Decision, decide, type Query } from '../statement.ts';

/** How often a user may give an authenticator another name in an hour. */
const RENAMES_AN_HOUR = 10;

/** A time ahead of now was written while the clock was wrong. */
const HOUR_IS_OVER = `(renames_since <= :now - ${HOUR} OR renames_since > :now)`;

/** Counts a renaming. Lost where the user has had all of this hour's, or has 2FA off. */
export function countRenaming(userId: string): Decision<object> {
  return decide(
    `UPDATE accounts SET
       renames = CASE WHEN ${HOUR_IS_OVER} THEN 1 ELSE renames + 1 END,
       renames_since = CASE WHEN ${HOUR_IS_OVER} THEN :now ELSE renames_since END
     WHERE user_id = :userId AND (${HOUR_IS_OVER} OR renames < ${RENAMES_AN_HOUR})
       AND EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = accounts.user_id)`,
    { userId },
  );
}

/** How long, in ms, until the user's present hour is over. */
export function waitForRenaming(userId: string): Query<{ readonly waitMs: number }> {
  return ask(`SELECT renames_since + ${HOUR} - :now AS "waitMs" FROM accounts WHERE user_id = :userId`, {
    userId,
  });
}

/** Gives an authenticator of the user a name. Lost if the user has no such authenticator. */
export function renameAuthenticator(userId: string, authenticatorId: string, name: string): Decision<object> {
  return decide('UPDATE authenticators SET name = :name WHERE id = :authenticatorId AND user_id = :userId', {
    userId,
    authenticatorId,
    name,
  });
}
