/**
 * Sign-ins by a factor alone: login tokens that were given for an authenticator, without a login that is held, and the
 * questions that were answered, each once. `claimant` is the request that is logging in for a token.
 */
export const factorTokens = `
  CREATE TABLE factor_tokens (
    token_hash       TEXT NOT NULL PRIMARY KEY,
    user_id          TEXT NOT NULL,
    authenticator_id TEXT NOT NULL,
    kind             TEXT NOT NULL,
    version          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    claimant         TEXT,
    claimed_until    INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX factor_tokens_by_end ON factor_tokens (expires_at);
  CREATE TABLE answered_questions (
    question_hash TEXT NOT NULL PRIMARY KEY,
    expires_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX answered_questions_by_end ON answered_questions (expires_at);
`;
