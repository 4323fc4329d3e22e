import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  madeOnce,
  type Query,
  type Sql,
  type Values,
} from '../statement.ts';
import { currentVersion } from './accounts.ts';

/** A granted login kept back until the second factor (R10, R12). */
export interface HeldLogin {
  readonly id: string;
  readonly userId: string;
  /** The device that the homeserver granted. */
  readonly deviceId: string;
  /** Keyed digest of identity, password and kind of request: an equal sign-in joins. Null: none may join. */
  readonly joinKey: string | null;
  /** The same for all spellings of the name and password; bounds how many holds one password can make. */
  readonly foldedJoinKey: string | null;
  /** That of the granted user's own name, whatever name the login was made under. */
  readonly ownerJoinKey: string | null;
  /** The homeserver's answer, sealed with the identity `hold:<id>:<userId>`. */
  readonly sealedGrant: Buffer;
  /** `logout` at its end; `forget` where a logout would delete keys that were there before (R5). */
  readonly atEnd: 'logout' | 'forget';
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** The columns of a hold. */
export const HOLD = `id, user_id AS "userId", device_id AS "deviceId", join_key AS "joinKey",
  folded_join_key AS "foldedJoinKey", owner_join_key AS "ownerJoinKey", sealed_grant AS "sealedGrant",
  at_end AS "atEnd", created_at AS "createdAt", expires_at AS "expiresAt"`;

/** The columns of a hold beside those of another table, in which all are null where there is none. */
export interface HoldOfSession {
  readonly heldId: string | null;
  readonly heldUserId: string;
  readonly heldDeviceId: string;
  readonly joinKey: string | null;
  readonly foldedJoinKey: string | null;
  readonly ownerJoinKey: string | null;
  readonly sealedGrant: Buffer;
  readonly atEnd: HeldLogin['atEnd'];
  readonly heldSince: number;
  readonly heldUntil: number;
}

export const HOLD_OF_SESSION = `holds.id AS "heldId", holds.user_id AS "heldUserId", holds.device_id AS "heldDeviceId",
  join_key AS "joinKey", folded_join_key AS "foldedJoinKey", owner_join_key AS "ownerJoinKey",
  sealed_grant AS "sealedGrant", at_end AS "atEnd", holds.created_at AS "heldSince", holds.expires_at AS "heldUntil"`;

const KEPT = `id, user_id, device_id, join_key, folded_join_key, owner_join_key, sealed_grant, at_end, created_at,
  expires_at`;
const VALUES = `:id, :userId, :deviceId, :joinKey, :foldedJoinKey, :ownerJoinKey, :sealedGrant, :atEnd, :createdAt,
  :expiresAt`;

/** How many live holds there are with the one that was kept. */
export interface HoldsKept {
  readonly live: number;
}

/**
 * Keeps a granted login. Lost if its user has `maximum` live ones already, or if factors or password were changed.
 * @param version of the account, under which the login is to be held; undefined where no second factor is owed
 */
export function keepHoldWhereRoom(
  held: HeldLogin,
  maximum: number,
  version: number | undefined,
): Decision<HoldsKept> {
  const hasRoom = '(SELECT count(*) FROM holds WHERE user_id = :userId AND expires_at > :now) < :maximum';
  return keepHoldWhere(hasRoom, { ...held, maximum }, version);
}

/** Keeps a granted login, whatever room there is. Lost if factors or password of its user were changed. */
export function keepHoldUnder(held: HeldLogin, version: number | undefined): Decision<HoldsKept> {
  return keepHoldWhere('1 = 1', { ...held }, version);
}

const IS_UNDER_VERSION = `${currentVersion(':userId')} = :version`;

/** @param condition in SQL, of our own words only */
function keepHoldWhere(condition: string, values: Values, version: number | undefined): Decision<HoldsKept> {
  if (version === undefined) return decide(keepingText(condition), values);
  return decide(keepingText(`${condition} AND ${IS_UNDER_VERSION}`), { ...values, version });
}

// Whether the new row is seen by now differs between databases, so it is counted apart.
const keepingText = madeOnce(
  (condition: string) => `INSERT INTO holds (${KEPT}) SELECT ${VALUES} WHERE ${condition}
     RETURNING (SELECT count(*) FROM holds WHERE expires_at > :now AND id <> :id) + 1 AS live`,
);

/** A hold is gone: it was logged out, or need not be. */
export function dropHold(id: string): Decision<object> {
  return decide('DELETE FROM holds WHERE id = :id', { id });
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

/** To end a hold is to take it from the client that is finishing it, too. */
function ending(which: string): Sql {
  return bothDialects(
    ({ least }) =>
      `UPDATE holds SET expires_at = ${least}(expires_at, :now), claimant = NULL, claimed_until = 0 WHERE ${which}`,
  );
}

/** Keeps a granted login, whatever room there is. */
export function keepHold(held: HeldLogin): Effect {
  return effect(`INSERT INTO holds (${KEPT}) VALUES (${VALUES})`, { ...held });
}

/** Keeps a login that was given out and has no client, so that the next sweep logs it out. */
export function keepEndedHold(held: HeldLogin): Effect {
  const ended = { ...held, expiresAt: held.createdAt };
  return effect(`INSERT INTO holds (${KEPT}) VALUES (${VALUES}) ON CONFLICT (id) DO NOTHING`, ended);
}

export function findHeldLogin(id: string): Query<HeldLogin> {
  return ask(`SELECT ${HOLD} FROM holds WHERE id = :id AND expires_at > :now`, { id });
}

/** A live hold ends later: won once. */
export function extendHold(
  { id, expiresAt }: Pick<HeldLogin, 'id' | 'expiresAt'>,
  until: number,
): Decision<object> {
  return decide(
    `UPDATE holds SET expires_at = :until, extended = 1
     WHERE id = :id AND extended = 0 AND expires_at = :expiresAt AND expires_at > :now`,
    { id, expiresAt, until },
  );
}

/** Reserves a live hold for one finisher; lost if another one has it. */
export function claimHold(id: string, claimant: string, until: number): Decision<object> {
  return decide(
    `UPDATE holds SET claimant = :claimant, claimed_until = :until
     WHERE id = :id AND expires_at > :now AND claimed_until <= :now AND leased_until = 0`,
    { id, claimant, until },
  );
}

export function unclaimHold(id: string, claimant: string): Effect {
  return effect(
    'UPDATE holds SET claimant = NULL, claimed_until = 0 WHERE id = :id AND claimant = :claimant',
    { id, claimant },
  );
}

/** A hold that may be given out: it is live, and no one is finishing it or logging it out. */
export const IS_FREE = 'expires_at > :now AND claimed_until <= :now AND leased_until = 0';

/** Takes a live hold that has no claimant out (R8): the winner gives the login to its client. */
export function takeHold(id: string): Decision<object> {
  return decide(`DELETE FROM holds WHERE id = :id AND ${IS_FREE}`, { id });
}

/** Ends one hold, for its claimant; the next sweep logs it out. */
export function endHold(id: string, claimant: string): Decision<object> {
  return decide(ending('id = :id AND claimant = :claimant'), { id, claimant });
}

/** Ends a live hold that no one is finishing; the next sweep logs it out. */
export function endFreeHold(id: string): Decision<object> {
  return decide(ending(`id = :id AND ${IS_FREE}`), { id });
}

/** Ends the live holds of a user, and those past their time that a client is finishing. */
export function endHoldsOfUser(userId: string): Effect {
  return effect(ending('user_id = :userId AND (expires_at > :now OR claimant IS NOT NULL)'), { userId });
}

/** The same but for one of them. */
export function endOtherHoldsOfUser(userId: string, keptId: string | null): Effect {
  const others = 'user_id = :userId AND id IS DISTINCT FROM :keptId';
  return effect(ending(`${others} AND (expires_at > :now OR claimant IS NOT NULL)`), { userId, keptId });
}

export function countLiveHolds(userId: string): Query<{ readonly count: number }> {
  return ask('SELECT count(*) AS count FROM holds WHERE user_id = :userId AND expires_at > :now', { userId });
}

/** A hold that has ended and is to be logged out. */
export interface EndedHold extends HeldLogin {
  /** How often that was begun, this time included. */
  readonly attempts: number;
}

const DUE = 'SELECT id FROM holds WHERE due_at <= :now ORDER BY due_at LIMIT :limit';

/**
 * Leases ended holds to one sweep, which logs them out. A claim that ran out is over: its claimant can no longer
 * finish what is being logged out. In PostgreSQL two sweeps at once take different ones.
 */
export function leaseEndedHolds(leaseUntil: number, limit: number): Query<EndedHold> {
  const leasing = (due: string) =>
    `UPDATE holds SET leased_until = :leaseUntil, claimant = NULL, attempts = attempts + 1
     WHERE id IN (${due}) RETURNING ${HOLD}, attempts`;
  return ask(
    { sqlite: leasing(DUE), postgres: leasing(`${DUE} FOR UPDATE SKIP LOCKED`) },
    { leaseUntil, limit },
  );
}

/** Gives an ended hold out again no sooner than at `until`. */
export function leaseHoldUntil(id: string, until: number): Effect {
  return effect('UPDATE holds SET leased_until = :until WHERE id = :id', { id, until });
}

/** The devices of a user's held logins, also of those that wait for their logout. */
export function findHeldDevices(userId: string): Query<Pick<HeldLogin, 'deviceId'>> {
  return ask('SELECT device_id AS "deviceId" FROM holds WHERE user_id = :userId', { userId });
}
