import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';
import { currentVersion } from './accounts.ts';

/** A login token that was given for a factor alone. No login is held for it. */
export interface FactorToken {
  readonly tokenHash: string;
  readonly userId: string;
  readonly authenticatorId: string;
  /** The kind of the factor. */
  readonly kind: string;
  /** The version of the account under which the factor was accepted. */
  readonly version: number;
}

/** Neither factors nor password were changed since the factor was accepted. */
const STILL_STANDS = `version = ${currentVersion('factor_tokens.user_id')}
  AND EXISTS (SELECT 1 FROM authenticators
    WHERE authenticators.id = factor_tokens.authenticator_id AND authenticators.user_id = factor_tokens.user_id)`;

/** Keeps a token for `forMs`. Lost where factors or password were changed since the factor was accepted. */
export function keepFactorToken(token: FactorToken, forMs: number): Decision<object> {
  return decide(
    `INSERT INTO factor_tokens (token_hash, user_id, authenticator_id, kind, version, expires_at)
     SELECT :tokenHash, :userId, :authenticatorId, :kind, :version, :now + :forMs
     WHERE ${currentVersion(':userId')} = :version
       AND EXISTS (SELECT 1 FROM authenticators WHERE id = :authenticatorId AND user_id = :userId)`,
    { ...token, forMs },
  );
}

/** A live token, whether or not it still stands. */
export function findFactorToken(tokenHash: string): Query<FactorToken> {
  return ask(
    `SELECT token_hash AS "tokenHash", user_id AS "userId", authenticator_id AS "authenticatorId", kind, version
     FROM factor_tokens WHERE token_hash = :tokenHash AND expires_at > :now`,
    { tokenHash },
  );
}

/** Reserves a token for one request: lost where another one has it, or what it stands for was changed. */
export function claimFactorToken(tokenHash: string, claimant: string, forMs: number): Decision<object> {
  return decide(
    `UPDATE factor_tokens SET claimant = :claimant, claimed_until = :now + :forMs
     WHERE token_hash = :tokenHash AND expires_at > :now AND claimed_until <= :now AND ${STILL_STANDS}`,
    { tokenHash, claimant, forMs },
  );
}

/** Gives it back: what was to be done could not be done now. */
export function unclaimFactorToken(tokenHash: string, claimant: string): Effect {
  return effect(
    `UPDATE factor_tokens SET claimant = NULL, claimed_until = 0
     WHERE token_hash = :tokenHash AND claimant = :claimant`,
    { tokenHash, claimant },
  );
}

/** Uses a token up for the login that its claimant has made (R8): lost where what it stands for was changed meanwhile. */
export function spendFactorToken(tokenHash: string, claimant: string): Decision<object> {
  return decide(
    `DELETE FROM factor_tokens WHERE token_hash = :tokenHash AND claimant = :claimant AND ${STILL_STANDS}`,
    { tokenHash, claimant },
  );
}

/** Keeps that a question was answered, right or wrong (R8): lost where it was answered before. */
export function keepAnswered(questionHash: string, forMs: number): Decision<object> {
  return decide(
    `INSERT INTO answered_questions (question_hash, expires_at) VALUES (:questionHash, :now + :forMs)
     ON CONFLICT (question_hash) DO NOTHING`,
    { questionHash, forMs },
  );
}

export function dropEndedFactorTokens(): readonly Effect[] {
  return [
    dropSome('factor_tokens', 'expires_at <= :now AND claimed_until <= :now'),
    dropSome('answered_questions', 'expires_at <= :now'),
  ];
}
