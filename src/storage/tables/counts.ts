import { ask, type Query } from '../statement.ts';

/** How much there is, for the metrics. */
export interface Counts {
  readonly holds: number;
  readonly logoutsWaiting: number;
  readonly sessions: number;
}

/** What is under way. */
export function countUnderWay(): Query<Counts> {
  return ask(
    `SELECT (SELECT count(*) FROM holds WHERE expires_at > :now) AS holds,
       (SELECT count(*) FROM holds WHERE expires_at <= :now) AS "logoutsWaiting",
       (SELECT count(*) FROM sessions WHERE expires_at > :now) AS sessions`,
  );
}

/** Users with 2FA on; those of them without a recovery code left; those with a lane that admits nothing. */
export interface UserCounts {
  readonly enrolled: number;
  readonly noRecoveryCodes: number;
  readonly locked: number;
}

/** @param shutAt so many failures shut a lane */
export function countUsers(shutAt: number): Query<UserCounts> {
  return ask(
    `SELECT (SELECT count(DISTINCT user_id) FROM authenticators) AS enrolled,
       (SELECT count(DISTINCT user_id) FROM authenticators WHERE NOT EXISTS (
          SELECT 1 FROM recovery_codes
          WHERE recovery_codes.user_id = authenticators.user_id AND used_at IS NULL)) AS "noRecoveryCodes",
       (SELECT count(DISTINCT user_id) FROM lanes WHERE failures >= :shutAt) AS locked`,
    { shutAt },
  );
}
