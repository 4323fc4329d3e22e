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

/** Of some of the users with 2FA on: how many they are, and how many of them have no recovery code left. */
export interface EnrolledCounts {
  readonly enrolled: number;
  readonly noRecoveryCodes: number;
  /** The last of them; null where there are none. */
  readonly last: string | null;
}

/** The next ones by their ids. Counting all at once reads whole tables, and with SQLite no one else is served meanwhile. */
export function countEnrolled(afterId: string, most: number): Query<EnrolledCounts> {
  return ask(
    `SELECT count(*) AS enrolled, max(user_id) AS last,
       count(CASE WHEN NOT EXISTS (
         SELECT 1 FROM recovery_codes WHERE recovery_codes.user_id = part.user_id AND used_at IS NULL
       ) THEN 1 END) AS "noRecoveryCodes"
     FROM (SELECT DISTINCT user_id FROM authenticators WHERE user_id > :afterId ORDER BY user_id LIMIT :most) AS part`,
    { afterId, most },
  );
}

/** How many users have a lane that admits nothing. @param shutAt so many failures shut one */
export function countLocked(shutAt: number): Query<{ readonly locked: number }> {
  return ask('SELECT count(DISTINCT user_id) AS locked FROM lanes WHERE failures >= :shutAt', { shutAt });
}
