import { ask, type Decision, decide, type Effect, effect, type Query, type Sql } from '../statement.ts';
import type { HeldLogin } from '../stores.ts';

const COLUMNS = `id, user_id AS "userId", device_id AS "deviceId", join_key AS "joinKey",
  folded_join_key AS "foldedJoinKey", owner_join_key AS "ownerJoinKey", sealed_grant AS "sealedGrant",
  at_end AS "atEnd", created_at AS "createdAt", expires_at AS "expiresAt"`;

/** Keeps a granted login. Lost if its user has `maximum` live ones already. */
export function keepHoldWhereRoom(held: HeldLogin, maximum: number): Decision<object> {
  return decide(
    `INSERT INTO holds (id, user_id, device_id, join_key, folded_join_key, owner_join_key, sealed_grant,
       at_end, created_at, expires_at)
     SELECT :id, :userId, :deviceId, :joinKey, :foldedJoinKey, :ownerJoinKey, :sealedGrant, :atEnd,
       :createdAt, :expiresAt
     WHERE (SELECT count(*) FROM holds WHERE user_id = :userId AND expires_at > :now) < :maximum`,
    { ...held, maximum },
  );
}

/** Takes back what was kept in the same unit. */
export function dropHold(id: string): Effect {
  return effect('DELETE FROM holds WHERE id = :id', { id });
}

/** The live holds made with one of these keys, or by the user of one of the folded ones; the newest first. */
export function findHoldsToJoin(exact: readonly string[], folded: readonly string[]): Query<HeldLogin> {
  return ask(
    listed(
      (list) => `SELECT ${COLUMNS} FROM holds
        WHERE expires_at > :now AND (join_key IN (${list('exact')}) OR folded_join_key IN (${list('folded')})
          OR owner_join_key IN (${list('folded')}))
        ORDER BY created_at DESC, id`,
    ),
    { exact: JSON.stringify(exact), folded: JSON.stringify(folded) },
  );
}

/** The live holds of a user, the newest first. */
export function findHoldsOfUser(userId: string): Query<HeldLogin> {
  return ask(
    `SELECT ${COLUMNS} FROM holds WHERE user_id = :userId AND expires_at > :now ORDER BY created_at DESC, id`,
    { userId },
  );
}

/**
 * Ends one hold where there are more than `maximum`: the oldest of the user with the most, so that a crowd of
 * sign-ins ends its own and no one else's (attack 139). Lost if there are not more, or all are being finished.
 */
export function endOneOfMost(maximum: number): Decision<object> {
  const free = 'expires_at > :now AND claimed_until <= :now';
  return decide(
    `UPDATE holds SET expires_at = :now, claimant = NULL, claimed_until = 0
     WHERE (SELECT count(*) FROM holds WHERE expires_at > :now) > :maximum AND id =
       (SELECT id FROM holds WHERE ${free} AND user_id =
          (SELECT user_id FROM holds WHERE ${free} GROUP BY user_id ORDER BY count(*) DESC, min(created_at) LIMIT 1)
        ORDER BY created_at, id LIMIT 1)`,
    { maximum },
  );
}

/** A statement with lists as JSON texts, which the databases read differently. */
function listed(text: (list: (name: string) => string) => string): Sql {
  return {
    sqlite: text((name) => `SELECT value FROM json_each(:${name})`),
    postgres: text((name) => `SELECT json_array_elements_text(CAST(:${name} AS json))`),
  };
}
