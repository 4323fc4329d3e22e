import { ask, type Decision, decide, type Effect, effect, listOf, type Query } from '../statement.ts';

/** One enrolled authenticator. */
export interface Authenticator {
  readonly id: string;
  readonly userId: string;
  /** The kind of its factor. */
  readonly kind: string;
  readonly name: string;
  /** What its proofs are judged by, sealed with the identity `authenticator:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
  readonly enabledAt: number;
  readonly lastUsedAt: number | null;
  /** The last accepted time step, or counter; none at or below it is ever accepted again. */
  readonly lastStep: number;
}

/** A time step of one authenticator of the user who makes the attempt. */
export interface StepToSpend {
  readonly authenticatorId: string;
  readonly step: number;
}

import { currentVersion } from './accounts.ts';

const AUTHENTICATOR = `
  id, user_id AS "userId", kind, name, sealed_seed AS "sealedSeed", enabled_at AS "enabledAt",
  last_used_at AS "lastUsedAt", last_step AS "lastStep"`;

/** @param kind of one factor; all of them where it is left out */
export function findAuthenticators(userId: string, kind: string | null = null): Query<Authenticator> {
  return ask(FIND, { userId, kind });
}

const FIND = `SELECT ${AUTHENTICATOR} FROM authenticators
  WHERE user_id = :userId AND kind = coalesce(:kind, kind) ORDER BY enabled_at, id`;

/** One row if this user has 2FA on. */
export function findEnrolled(userId: string): Query<object> {
  return ask('SELECT 1 AS found FROM authenticators WHERE user_id = :userId LIMIT 1', { userId });
}

/** The kind of an authenticator, and with each the same facts about the user. */
export interface OwingRow {
  readonly kind: string;
  readonly version: number;
  readonly codesLeft: number;
  readonly emergencyCodes: number;
}

/** One row for each authenticator; none if the user has 2FA off. */
export function findOwing(userId: string): Query<OwingRow> {
  return ask(OWING, { userId });
}

// A user has few authenticators: to have them told apart and sorted by the database takes longer than the rest.
const OWING = `SELECT kind, ${currentVersion(':userId')} AS version,
    (SELECT count(*) FROM recovery_codes WHERE user_id = :userId AND used_at IS NULL) AS "codesLeft",
    (SELECT count(*) FROM emergency_codes WHERE user_id = :userId AND expires_at > :now) AS "emergencyCodes"
  FROM authenticators WHERE user_id = :userId`;

/** What a user with 2FA has enrolled. */
export interface Enrolled {
  /** The version of the account under which all of this is so. */
  readonly version: number;
  /** The kinds of factors of which they have authenticators. */
  readonly kinds: readonly string[];
  /** Unused recovery codes. */
  readonly codesLeft: number;
  /** Whether there is a code that the operator gave out. */
  readonly hasEmergencyCode: boolean;
}

export function enrolledIn(rows: readonly OwingRow[]): Enrolled | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const { version, codesLeft, emergencyCodes } = first;
  const kinds = [...new Set(rows.map(({ kind }) => kind))].toSorted();
  return { version, kinds, codesLeft, hasEmergencyCode: emergencyCodes > 0 };
}

/** One row if any user has 2FA on. */
export function findAnyEnrolled(): Query<object> {
  return ask('SELECT 1 AS found FROM authenticators LIMIT 1');
}

export function listEnrolled(): Query<{ readonly userId: string }> {
  return ask('SELECT DISTINCT user_id AS "userId" FROM authenticators ORDER BY user_id');
}

/** Won where the user has an authenticator, in a unit that names them. */
export function findAnyOf(userId: string): Decision<object> {
  return decide('SELECT 1 AS found FROM authenticators WHERE user_id = :userId LIMIT 1', { userId });
}

/** Turns a set-up into an authenticator of its kind; the step of the enrolment is spent. */
export function addAuthenticator(
  setupId: string,
  { id, sealedSeed, lastStep }: Pick<Authenticator, 'id' | 'sealedSeed' | 'lastStep'>,
): Effect {
  return effect(
    `INSERT INTO authenticators (id, user_id, kind, name, sealed_seed, enabled_at, last_step)
       SELECT :id, user_id, kind, name, :sealedSeed, :now, :lastStep FROM setups WHERE id = :setupId`,
    { setupId, id, sealedSeed, lastStep },
  );
}

/** @param keepLast where it is the user's only one, it stays */
export function removeAuthenticator(userId: string, id: string, keepLast: boolean): Decision<object> {
  const others = `EXISTS (SELECT 1 FROM authenticators AS others WHERE others.user_id = :userId AND others.id <> :id)`;
  return decide(
    `DELETE FROM authenticators WHERE id = :id AND user_id = :userId ${keepLast ? `AND ${others}` : ''}`,
    { userId, id },
  );
}

/** Removes those of one kind. Lost where the user has no others. */
export function removeKindKeepingLast(userId: string, kind: string): Decision<object> {
  return decide(
    `DELETE FROM authenticators WHERE user_id = :userId AND kind = :kind
       AND EXISTS (SELECT 1 FROM authenticators AS others WHERE others.user_id = :userId AND others.kind <> :kind)`,
    { userId, kind },
  );
}

/** @param kind of one factor; all of them where it is left out */
export function removeAuthenticators(userId: string, kind: string | null = null): Effect {
  return effect('DELETE FROM authenticators WHERE user_id = :userId AND kind = coalesce(:kind, kind)', {
    userId,
    kind,
  });
}

/** Removes all of a user. Lost where there are none. */
export function removeEveryAuthenticator(userId: string): Decision<object> {
  return decide('DELETE FROM authenticators WHERE user_id = :userId', { userId });
}

/** Removes those that another one takes the place of. */
export function removeReplaced(userId: string, ids: readonly string[]): readonly Effect[] {
  if (ids.length === 0) return [];
  const { names, values } = listOf('id', ids);
  return [
    effect(`DELETE FROM authenticators WHERE user_id = :userId AND id IN (${names})`, { userId, ...values }),
  ];
}

/** The one write that accepts a proof (R8): no step, or counter, at or below the last accepted one. */
export function spendStep(userId: string, { authenticatorId, step }: StepToSpend): Decision<object> {
  return decide(
    `UPDATE authenticators SET last_step = :step, last_used_at = :now
     WHERE id = :authenticatorId AND user_id = :userId AND last_step < :step`,
    { userId, authenticatorId, step },
  );
}

/** Remembers when the first user turned 2FA on. */
export function markFirstEnrolment(): Effect {
  return effect('UPDATE database_identity SET first_enrolled_at = :now WHERE first_enrolled_at IS NULL');
}
