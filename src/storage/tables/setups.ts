import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, listOf, type Query } from '../statement.ts';

/** Which authenticators go when a set-up is confirmed: by their ids, or all that the user has. */
export type Replaces = 'all' | readonly string[];

/** Every verification looks at each authenticator, so there must be a bound; no one needs more than this. */
export const MOST_AUTHENTICATORS = 20;

/** An enrolment that waits for its first code. It is not an authenticator yet and opens nothing. */
export interface Setup {
  readonly id: string;
  readonly userId: string;
  /** The kind of the factor. */
  readonly kind: string;
  readonly name: string;
  /** Sealed with the identity `setup:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
  /** SHA-256 of the access token that began it, or the name of the sign-in session: only these may confirm it. */
  readonly tokenHash: string;
  readonly expiresAt: number;
  readonly failures: number;
  readonly replaces: Replaces;
}

/** A set-up as its row holds it: `replaces` is JSON, or null where nothing is replaced. */
export type SetupRow = Omit<Setup, 'replaces'> & { readonly replaces: string | null };

/** @param onlyWhileOff lost where the user has an authenticator */
export function keepSetup({ replaces, ...setup }: Setup, onlyWhileOff: boolean): Decision<object> {
  const isOff = 'NOT EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)';
  return decide(
    `INSERT INTO setups (id, user_id, kind, name, sealed_seed, token_hash, expires_at, failures, replaces)
       SELECT :id, :userId, :kind, :name, :sealedSeed, :tokenHash, :expiresAt, :failures, :replaces
       ${onlyWhileOff ? `WHERE ${isOff}` : ''}`,
    { ...setup, replaces: replaces.length === 0 ? null : JSON.stringify(replaces) },
  );
}

export function dropSetups(userId: string): Effect {
  return effect('DELETE FROM setups WHERE user_id = :userId', { userId });
}

export function dropExpiredSetups(): Effect {
  return dropSome('setups', 'expires_at <= :now');
}

export function findSetup(id: string): Query<SetupRow> {
  return ask(
    `SELECT id, user_id AS "userId", kind, name, sealed_seed AS "sealedSeed", token_hash AS "tokenHash",
       expires_at AS "expiresAt", failures, replaces
     FROM setups WHERE id = :id AND expires_at > :now`,
    { id },
  );
}

/** Lost while another confirmation has it, or if it is gone. @param name of the authenticator, in place of that of its beginning */
export function takeSetup(id: string, until: number, name: string | null): Decision<object> {
  return decide(
    `UPDATE setups SET taken_until = :until, name = COALESCE(:name, name)
     WHERE id = :id AND expires_at > :now AND taken_until <= :now`,
    { id, until, name },
  );
}

export function giveSetupBack(id: string): Effect {
  return effect('UPDATE setups SET taken_until = 0 WHERE id = :id', { id });
}

/** What a set-up is confirmed as: what its confirmation does to the recovery codes depends on it. */
export interface SetupToConfirm {
  readonly setupId: string;
  readonly userId: string;
  /** Whether the user has an authenticator. */
  readonly wasOn: boolean;
  /** The ids of those that go. */
  readonly replaced: readonly string[];
}

/**
 * Takes it for good, for one confirmation: the unit drops it when it has become an authenticator. Lost where 2FA was
 * turned on or off meanwhile, or the user has as many authenticators as they may.
 */
export function confirmSetup({ setupId, userId, wasOn, replaced }: SetupToConfirm): Decision<object> {
  const { names, values } = listOf('replaced', replaced);
  const others = replaced.length === 0 ? '' : `AND id NOT IN (${names})`;
  return decide(
    `UPDATE setups SET taken_until = :now WHERE id = :setupId AND user_id = :userId AND expires_at > :now
       AND ${wasOn ? '' : 'NOT'} EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)
       AND (SELECT count(*) FROM authenticators WHERE user_id = :userId ${others}) < ${MOST_AUTHENTICATORS}`,
    { setupId, userId, ...values },
  );
}

/** Counts a wrong first code. */
export function countSetupFailure(id: string): Decision<{ readonly failures: number }> {
  return decide('UPDATE setups SET failures = failures + 1 WHERE id = :id RETURNING failures', { id });
}

/** Drops a set-up that had as many wrong first codes as it may. */
export function dropFailedSetup(id: string, limit: number): Effect {
  return effect('DELETE FROM setups WHERE id = :id AND failures >= :limit', { id, limit });
}
