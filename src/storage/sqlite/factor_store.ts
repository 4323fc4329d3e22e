import type {
  Authenticator,
  FactorStore,
  NewRecoverySet,
  RecoveryCode,
  RecoverySet,
  Setup,
} from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';
import { endHoldsOfUser } from './hold_store.ts';
import { clearCounters } from './throttle_store.ts';

const AUTHENTICATOR = `
  id, user_id AS userId, name, sealed_seed AS sealedSeed, enabled_at AS enabledAt,
  last_used_at AS lastUsedAt, last_step AS lastStep`;

const SETUP = `
  id, user_id AS userId, name, sealed_seed AS sealedSeed, token_hash AS tokenHash,
  expires_at AS expiresAt, failures`;

/** What users have enrolled. An account's row is there exactly while its user has 2FA on. */
export class SqliteFactorStore implements FactorStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  isEnrolled(userId: string): Promise<boolean> {
    return this.#connection.read((db) => isEnrolled(db, userId));
  }

  anyoneEnrolled(): Promise<boolean> {
    return this.#connection.read((db) => db.get('SELECT 1 FROM accounts LIMIT 1') !== undefined);
  }

  mayBeEnrolled(foldedLocalpart: string): Promise<boolean> {
    return this.#connection.read(
      (db) =>
        db.get('SELECT 1 FROM accounts WHERE folded_localpart = :foldedLocalpart LIMIT 1', {
          foldedLocalpart,
        }) !== undefined,
    );
  }

  enrolledUsers(): Promise<string[]> {
    return this.#connection.read((db) =>
      db
        .all<{ userId: string }>('SELECT user_id AS userId FROM accounts ORDER BY user_id')
        .map((row) => row.userId),
    );
  }

  authenticators(userId: string): Promise<Authenticator[]> {
    return this.#connection.read((db) =>
      db.all<Authenticator>(
        `SELECT ${AUTHENTICATOR} FROM authenticators WHERE user_id = :userId ORDER BY enabled_at, id`,
        { userId },
      ),
    );
  }

  removeAuthenticator(
    userId: string,
    authenticatorId: string,
    now: number,
  ): Promise<{ removed: boolean; remaining: number }> {
    return this.#commits.write((db) => {
      const removed =
        db.run('DELETE FROM authenticators WHERE id = :authenticatorId AND user_id = :userId', {
          userId,
          authenticatorId,
        }) === 1;
      const remaining = countAuthenticators(db, userId);
      if (removed && remaining === 0) switchOff(db, userId, now);
      if (removed && remaining > 0) endProofs(db, userId, now);
      return { removed, remaining };
    });
  }

  removeAllFactors(userId: string, now: number): Promise<number> {
    return this.#commits.write((db) => {
      const removed = countAuthenticators(db, userId);
      switchOff(db, userId, now);
      clearCounters(db, userId);
      return removed;
    });
  }

  endProofs(userId: string, now: number): Promise<void> {
    return this.#commits.write((db) => endProofs(db, userId, now));
  }

  beginSetup(setup: Setup): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM setups WHERE user_id = :userId', { userId: setup.userId });
      db.run(
        `INSERT INTO setups (id, user_id, name, sealed_seed, token_hash, expires_at, failures)
         VALUES (:id, :userId, :name, :sealedSeed, :tokenHash, :expiresAt, :failures)`,
        { ...setup },
      );
    });
  }

  dropExpiredSetups(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM setups WHERE expires_at <= :now', { now });
    });
  }

  findSetup(id: string, now: number): Promise<Setup | undefined> {
    return this.#connection.read((db) =>
      db.get<Setup>(`SELECT ${SETUP} FROM setups WHERE id = :id AND expires_at > :now`, { id, now }),
    );
  }

  takeSetup(id: string, now: number, until: number): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `UPDATE setups SET taken_until = :until
           WHERE id = :id AND expires_at > :now AND taken_until <= :now`,
          { id, now, until },
        ) === 1,
    );
  }

  giveSetupBack(id: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('UPDATE setups SET taken_until = 0 WHERE id = :id', { id });
    });
  }

  countSetupFailure(id: string, limit: number): Promise<number> {
    return this.#commits.write((db) => {
      const counted = db.get<{ failures: number }>(
        'UPDATE setups SET failures = failures + 1 WHERE id = :id RETURNING failures',
        { id },
      );
      if (counted === undefined) return limit;
      if (counted.failures >= limit) db.run('DELETE FROM setups WHERE id = :id', { id });
      return counted.failures;
    });
  }

  activate(confirmation: Parameters<FactorStore['activate']>[0]): Promise<boolean> {
    const { setupId, userId, authenticatorId, foldedLocalpart, sealedSeed, step, now, recovery } =
      confirmation;
    return this.#commits.write((db) => {
      const setup = db.get<{ name: string }>(
        'DELETE FROM setups WHERE id = :setupId AND user_id = :userId AND expires_at > :now RETURNING name',
        { setupId, userId, now },
      );
      if (setup === undefined) return false;
      db.run(
        `INSERT INTO accounts (user_id, folded_localpart) VALUES (:userId, :foldedLocalpart)
         ON CONFLICT (user_id) DO UPDATE SET folded_localpart = excluded.folded_localpart`,
        { userId, foldedLocalpart },
      );
      db.run(
        `INSERT INTO authenticators (id, user_id, name, sealed_seed, enabled_at, last_used_at, last_step)
         VALUES (:authenticatorId, :userId, :name, :sealedSeed, :now, NULL, :step)`,
        { authenticatorId, userId, name: setup.name, sealedSeed, now, step },
      );
      putRecoverySet(db, userId, recovery);
      db.run('UPDATE database_identity SET first_enrolled_at = :now WHERE first_enrolled_at IS NULL', {
        now,
      });
      endProofs(db, userId, now);
      return true;
    });
  }

  recoverySet(userId: string): Promise<RecoverySet | undefined> {
    return this.#connection.read((db) => {
      const set = db.get<Omit<RecoverySet, 'codes'>>(
        `SELECT salt, pepper_key_id AS pepperKeyId, generated_at AS generatedAt
         FROM recovery_sets WHERE user_id = :userId`,
        { userId },
      );
      if (set === undefined) return undefined;
      const codes = db.all<RecoveryCode>(
        `SELECT position, hash, used_at AS usedAt FROM recovery_codes
         WHERE user_id = :userId ORDER BY position`,
        { userId },
      );
      return { ...set, codes };
    });
  }

  replaceRecoverySet(userId: string, set: NewRecoverySet): Promise<boolean> {
    return this.#commits.write((db) => {
      if (!isEnrolled(db, userId)) return false;
      putRecoverySet(db, userId, set);
      endProofs(db, userId, set.generatedAt);
      return true;
    });
  }

  deleteRecoverySet(userId: string, now: number): Promise<boolean> {
    return this.#commits.write((db) => {
      if (!deleteRecoverySet(db, userId)) return false;
      endProofs(db, userId, now);
      return true;
    });
  }

  spendRecoveryCode(userId: string, hash: string, now: number): Promise<number | undefined> {
    return this.#commits.write((db) => {
      const spent = db.get<{ position: number }>(
        `UPDATE recovery_codes SET used_at = :now
         WHERE user_id = :userId AND hash = :hash AND used_at IS NULL RETURNING position`,
        { userId, hash, now },
      );
      if (spent !== undefined) clearCounters(db, userId);
      return spent?.position;
    });
  }
}

function isEnrolled(db: Connection, userId: string): boolean {
  return db.get('SELECT 1 FROM accounts WHERE user_id = :userId', { userId }) !== undefined;
}

function countAuthenticators(db: Connection, userId: string): number {
  const counted = db.get<{ count: number }>(
    'SELECT count(*) AS count FROM authenticators WHERE user_id = :userId',
    { userId },
  );
  return counted?.count ?? 0;
}

/** Authenticators and codes go with the account's row. A sign-in or session begun under 2FA ends with it (R1). */
function switchOff(db: Connection, userId: string, now: number): void {
  db.run('DELETE FROM accounts WHERE user_id = :userId', { userId });
  // The session of a sign-in stays until its time is over: it opens nothing without its hold, and whoever comes
  // with it is told to sign in again (attack 39).
  endProofs(
    db,
    userId,
    now,
    'hold_id IS NULL OR hold_id NOT IN (SELECT id FROM holds WHERE user_id = :userId AND expires_at > :now)',
  );
}

/**
 * What was proven under other factors or another password counts no more. The session that makes the change is
 * over by then: it ended when its request was carried out.
 * @param ofSessions which sessions end, in SQL, of our own words only
 */
function endProofs(db: Connection, userId: string, now: number, ofSessions = 'TRUE'): void {
  db.run(`DELETE FROM sessions WHERE user_id = :userId AND (${ofSessions})`, { userId, now });
  endHoldsOfUser(db, userId, now);
  db.run('UPDATE passed_login_tokens SET ended = 1 WHERE user_id = :userId', { userId });
  db.run('DELETE FROM fresh_logins WHERE user_id = :userId', { userId });
  db.run('DELETE FROM setups WHERE user_id = :userId', { userId });
}

function putRecoverySet(db: Connection, userId: string, set: NewRecoverySet): void {
  deleteRecoverySet(db, userId);
  db.run(
    `INSERT INTO recovery_sets (user_id, salt, pepper_key_id, generated_at)
     VALUES (:userId, :salt, :pepperKeyId, :generatedAt)`,
    { userId, salt: set.salt, pepperKeyId: set.pepperKeyId, generatedAt: set.generatedAt },
  );
  set.hashes.forEach((hash, index) => {
    db.run(
      `INSERT INTO recovery_codes (user_id, position, hash, used_at)
       VALUES (:userId, :position, :hash, NULL)`,
      { userId, position: index + 1, hash },
    );
  });
}

/** The codes go with their set. */
function deleteRecoverySet(db: Connection, userId: string): boolean {
  return db.run('DELETE FROM recovery_sets WHERE user_id = :userId', { userId }) === 1;
}
