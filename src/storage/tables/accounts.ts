import { ask, type Effect, effect, type Query } from '../statement.ts';

/** One version of one account. */
export interface AccountVersion {
  readonly userId: string;
  readonly version: number;
}

/** What grows with every change of factors or password of a user, and when all their sessions are signed out. */
export function growVersion(userId: string): Effect {
  return effect(
    `INSERT INTO accounts (user_id, folded_localpart, version) VALUES (:userId, '', 1)
     ON CONFLICT (user_id) DO UPDATE SET version = accounts.version + 1`,
    { userId },
  );
}

/** Which version the account has; no row, and so 0, for a user who was not seen. */
export function findVersion(userId: string): Query<{ readonly version: number }> {
  return ask('SELECT version FROM accounts WHERE user_id = :userId', { userId });
}

/**
 * The version that an account has now, in SQL: in a unit that names its user it cannot grow before the unit is written.
 * @param userId in SQL, of our own words only
 */
export function currentVersion(userId: string): string {
  return `coalesce((SELECT accounts.version FROM accounts WHERE accounts.user_id = ${userId}), 0)`;
}

/** Keeps the name under which a sign-in may mean this user. */
export function nameAccount(userId: string, foldedLocalpart: string): Effect {
  return effect(
    `INSERT INTO accounts (user_id, folded_localpart) VALUES (:userId, :foldedLocalpart)
     ON CONFLICT (user_id) DO UPDATE SET folded_localpart = excluded.folded_localpart`,
    { userId, foldedLocalpart },
  );
}
