import { HOUR } from '../../system/clock.ts';
import { changeSome } from '../dropping.ts';
import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  listOf,
  type Query,
} from '../statement.ts';
import { dropRow, leaseEnded, leaseRowUntil } from './ended_rows.ts';

/** A device password that is being made. */
export interface NewDevicePassword {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** The digest of the secret, made by the vault: it names its key. */
  readonly secretDigest: string;
  readonly deviceId: string;
  readonly tokenHash: string;
  /** The token, sealed with the identity `device-password:<id>:<userId>`. */
  readonly sealedToken: Buffer;
  /** Life of the token in ms; null if it does not expire. */
  readonly lifetimeMs: number | null;
}

/** As stored. Times are ms since the epoch. */
export interface DevicePassword extends Omit<NewDevicePassword, 'lifetimeMs'> {
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly lastUsedAddress: string | null;
}

/** One with the time of the database at the look. */
export interface FoundDevicePassword extends DevicePassword {
  readonly now: number;
}

/** One that has ended and is to be logged out. */
export interface EndedDevicePassword extends DevicePassword {
  /** How often that was begun, this time included. */
  readonly attempts: number;
}

const COLUMNS = `id, user_id AS "userId", name, secret_digest AS "secretDigest", device_id AS "deviceId",
  token_hash AS "tokenHash", sealed_token AS "sealedToken", created_at AS "createdAt", expires_at AS "expiresAt",
  last_used_at AS "lastUsedAt", last_used_address AS "lastUsedAddress"`;
const FOUND = `${COLUMNS}, CAST(:now AS BIGINT) AS now`;

/** Lost where its user has `most` already, or has 2FA off by now. In a unit that names the user. */
export function keepDevicePassword(made: NewDevicePassword, most: number): Decision<{ createdAt: number }> {
  const { lifetimeMs, ...values } = made;
  // A null has no type of its own in PostgreSQL.
  const expires = lifetimeMs === null ? 'CAST(NULL AS BIGINT)' : ':now + :lifetimeMs';
  return decide(
    `INSERT INTO device_passwords
       (id, user_id, name, secret_digest, device_id, token_hash, sealed_token, created_at, expires_at)
     SELECT :id, :userId, :name, :secretDigest, :deviceId, :tokenHash, :sealedToken, :now, ${expires}
     WHERE (SELECT count(*) FROM device_passwords WHERE user_id = :userId AND ended_at IS NULL) < :most
       AND EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)
     RETURNING created_at AS "createdAt"`,
    lifetimeMs === null ? { ...values, most } : { ...values, most, lifetimeMs },
  );
}

/** The live one with one of these digests. */
export function findDevicePassword(secretDigests: readonly string[]): Query<FoundDevicePassword> {
  const { names, values } = listOf('digest', secretDigests);
  return ask(
    `SELECT ${FOUND} FROM device_passwords WHERE secret_digest IN (${names}) AND ended_at IS NULL`,
    values,
  );
}

/** The live one whose login has this token. */
export function findDevicePasswordOfToken(tokenHash: string): Query<DevicePassword> {
  return ask(`SELECT ${COLUMNS} FROM device_passwords WHERE token_hash = :tokenHash AND ended_at IS NULL`, {
    tokenHash,
  });
}

/** The live ones of a user, the oldest first. */
export function listDevicePasswords(userId: string): Query<FoundDevicePassword> {
  return ask(
    `SELECT ${FOUND} FROM device_passwords WHERE user_id = :userId AND ended_at IS NULL ORDER BY created_at, id`,
    { userId },
  );
}

/** One row where any user has one. */
export function findAnyDevicePassword(): Query<object> {
  return ask('SELECT 1 AS one FROM device_passwords WHERE ended_at IS NULL LIMIT 1');
}

/** The homeserver says that this token has expired: no sooner is it renewed. */
export function expireDevicePassword(id: string, tokenHash: string): Effect {
  return effect(
    `UPDATE device_passwords SET expires_at = :now
     WHERE id = :id AND token_hash = :tokenHash AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > :now)`,
    { id, tokenHash },
  );
}

/** Leases one whose token has expired to the process that renews it. Lost while another one has it, or if it has ended. */
export function leaseRenewal(id: string, leaseMs: number): Decision<object> {
  return decide(
    `UPDATE device_passwords SET leased_until = :now + :leaseMs
     WHERE id = :id AND ended_at IS NULL AND expires_at <= :now AND leased_until <= :now`,
    { id, leaseMs },
  );
}

/** Puts a new login to its device into the place of the one that has expired. Lost if it has ended, or is for another device. */
export function renewDevicePassword(
  renewed: Pick<NewDevicePassword, 'id' | 'userId' | 'deviceId' | 'tokenHash' | 'sealedToken' | 'lifetimeMs'>,
): Decision<object> {
  const { lifetimeMs, ...values } = renewed;
  const expires = lifetimeMs === null ? 'NULL' : ':now + :lifetimeMs';
  return decide(
    `UPDATE device_passwords
     SET token_hash = :tokenHash, sealed_token = :sealedToken, leased_until = 0, expires_at = ${expires}
     WHERE id = :id AND user_id = :userId AND device_id = :deviceId AND ended_at IS NULL AND expires_at <= :now`,
    lifetimeMs === null ? values : { ...values, lifetimeMs },
  );
}

/** A use. Lost if it has ended: then nothing is handed out. The digest moves on to the key that is active now. */
export function useDevicePassword(id: string, address: string, secretDigest: string): Decision<object> {
  return decide(
    `UPDATE device_passwords SET last_used_at = :now, last_used_address = :address, secret_digest = :secretDigest
     WHERE id = :id AND ended_at IS NULL`,
    { id, address, secretDigest },
  );
}

/** Won by the first use. */
export function markFirstUse(id: string): Decision<object> {
  return decide(
    `UPDATE device_passwords SET first_used_at = :now, recorded_at = :now WHERE id = :id AND first_used_at IS NULL`,
    { id },
  );
}

/** Won once an hour. A time ahead of now was written while the clock was wrong. */
export function markRecordedUse(id: string): Decision<object> {
  return decide(
    `UPDATE device_passwords SET recorded_at = :now
     WHERE id = :id AND (recorded_at <= :now - ${HOUR} OR recorded_at > :now)`,
    { id },
  );
}

/** Lost if the user has no such device password. */
export function renameDevicePassword(userId: string, id: string, name: string): Decision<object> {
  return decide(
    'UPDATE device_passwords SET name = :name WHERE id = :id AND user_id = :userId AND ended_at IS NULL',
    { userId, id, name },
  );
}

/** Ends one; the next sweep logs it out. Lost if the user has no such device password, or it has ended before. */
export function endDevicePassword(userId: string, id: string): Decision<object> {
  return decide(
    'UPDATE device_passwords SET ended_at = :now WHERE id = :id AND user_id = :userId AND ended_at IS NULL',
    { userId, id },
  );
}

/** Ends all of a user. */
export function endDevicePasswordsOf(userId: string): Effect {
  return effect('UPDATE device_passwords SET ended_at = :now WHERE user_id = :userId AND ended_at IS NULL', {
    userId,
  });
}

/** An end in the future was written by a clock that was ahead, and no logout waits for longer than it may. */
export function endDevicePasswordsOfTheFuture(slackMs: number, longestPauseMs: number): readonly Effect[] {
  return [
    changeSome('device_passwords', 'ended_at = :now', 'ended_at > :now + :slackMs', { slackMs }),
    changeSome(
      'device_passwords',
      'leased_until = :now',
      'leased_until > :now + :longestPauseMs + :slackMs',
      { slackMs, longestPauseMs },
    ),
  ];
}

/** Those that waited for their logout, or were being logged out, when a backup was made: the next sweep takes them. */
export function freeEndedDevicePasswords(): Effect {
  return effect(
    bothDialects(
      ({ least }) =>
        `UPDATE device_passwords SET ended_at = ${least}(ended_at, :now), leased_until = 0 WHERE ended_at IS NOT NULL`,
    ),
  );
}

/** Leases ended ones to one sweep, which logs them out. */
export function leaseEndedDevicePasswords(leaseUntil: number, limit: number): Query<EndedDevicePassword> {
  return leaseEnded('device_passwords', COLUMNS, { leaseUntil, limit });
}

/** Gives an ended one out again no sooner than at `until`. */
export function leaseDevicePasswordUntil(id: string, until: number): Effect {
  return leaseRowUntil('device_passwords', id, until);
}

/** One is logged out: it is gone. */
export function dropDevicePassword(id: string): Effect {
  return dropRow('device_passwords', id);
}

/** How many live ones can be found only with this key. Digests begin with the id of their key, and a dot. */
export function countDevicePasswordsUnder(keyId: string): Query<{ readonly count: number }> {
  const begins = `${keyId}.`;
  return ask(
    `SELECT count(*) AS count FROM device_passwords
     WHERE ended_at IS NULL AND substr(secret_digest, 1, ${begins.length}) = :begins`,
    { begins },
  );
}
