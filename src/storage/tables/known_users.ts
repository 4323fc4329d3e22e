import { ask, type Effect, effect, type Query } from '../statement.ts';

/** How often it is written that a user was seen. */
export const SEEN_EVERY_MS = 24 * 60 * 60 * 1000;

/** Notes that a user is there, once a day. */
export function sawUser(userId: string): Effect {
  return effect(
    `INSERT INTO known_users (user_id, first_seen_at, last_seen_at) VALUES (:userId, :now, :now)
     ON CONFLICT (user_id) DO UPDATE SET last_seen_at = :now
     WHERE known_users.last_seen_at <= :now - ${SEEN_EVERY_MS} OR known_users.last_seen_at > :now`,
    { userId },
  );
}

export function findSeen(userId: string): Query<{ readonly lastSeenAt: number }> {
  return ask('SELECT last_seen_at AS "lastSeenAt" FROM known_users WHERE user_id = :userId', { userId });
}

/** A user as lists show them. */
export interface KnownUserRow {
  readonly userId: string;
  readonly codesLeft: number;
  readonly lastUsedAt: number | null;
  /** 1 if a lane of theirs is shut. */
  readonly locked: number;
  /** Null for a user who has not been seen since that is noted. */
  readonly firstSeenAt: number | null;
  readonly lastSeenAt: number | null;
}

/** The next users by id, byte by byte: all that were seen, and all that have 2FA on. */
export function listKnownUsers(after: string, shutAt: number, most: number): Query<KnownUserRow> {
  return ask(
    `SELECT users.user_id AS "userId", first_seen_at AS "firstSeenAt", last_seen_at AS "lastSeenAt",
       (SELECT count(*) FROM recovery_codes
        WHERE recovery_codes.user_id = users.user_id AND used_at IS NULL) AS "codesLeft",
       (SELECT max(last_used_at) FROM authenticators WHERE authenticators.user_id = users.user_id) AS "lastUsedAt",
       CASE WHEN EXISTS (SELECT 1 FROM lanes WHERE lanes.user_id = users.user_id AND failures >= :shutAt)
         THEN 1 ELSE 0 END AS locked
     FROM (SELECT user_id FROM known_users WHERE user_id > :after
           UNION SELECT user_id FROM authenticators WHERE user_id > :after) AS users
       LEFT JOIN known_users ON known_users.user_id = users.user_id
     ORDER BY users.user_id LIMIT :most`,
    { after, shutAt, most },
  );
}

/** How many authenticators of each kind the users between two have, these included. */
export function countKinds(
  from: string,
  to: string,
): Query<{ readonly userId: string; readonly kind: string; readonly count: number }> {
  return ask(
    `SELECT user_id AS "userId", kind, count(*) AS count FROM authenticators
     WHERE user_id >= :from AND user_id <= :to GROUP BY user_id, kind ORDER BY user_id, kind`,
    { from, to },
  );
}

/** How often each event happened from one time on until before another one. */
export function countEvents(
  from: number,
  until: number,
): Query<{ readonly event: string; readonly count: number }> {
  return ask('SELECT event, count(*) AS count FROM audit WHERE at >= :from AND at < :until GROUP BY event', {
    from,
    until,
  });
}
