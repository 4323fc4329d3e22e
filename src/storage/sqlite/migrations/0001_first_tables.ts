/**
 * The first schema. Times are milliseconds since the epoch. No secret stands here in the clear: `sealed_…`
 * columns hold values of the vault, `…_hash` and `…_digest` columns what cannot be turned back (R11).
 */
export const firstTables = `
  -- A row means: this user has 2FA on.
  CREATE TABLE accounts (
    user_id          TEXT NOT NULL PRIMARY KEY,
    folded_localpart TEXT NOT NULL
  ) STRICT;
  CREATE INDEX accounts_by_folded_localpart ON accounts (folded_localpart);

  CREATE TABLE authenticators (
    id           TEXT NOT NULL PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name         TEXT NOT NULL,
    sealed_seed  BLOB NOT NULL,
    enabled_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    -- The last accepted time step: it only grows (attack 75).
    last_step    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX authenticators_by_user ON authenticators (user_id);

  -- Enrolments that wait for their first code: one for each user, who need not have 2FA on.
  CREATE TABLE setups (
    id          TEXT NOT NULL PRIMARY KEY,
    user_id     TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    sealed_seed BLOB NOT NULL,
    token_hash  TEXT NOT NULL,
    expires_at  INTEGER NOT NULL,
    failures    INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE recovery_sets (
    user_id       TEXT NOT NULL PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    salt          BLOB NOT NULL,
    pepper_key_id TEXT NOT NULL,
    generated_at  INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE recovery_codes (
    user_id  TEXT NOT NULL REFERENCES recovery_sets ON DELETE CASCADE,
    position INTEGER NOT NULL,
    hash     TEXT NOT NULL,
    used_at  INTEGER,
    PRIMARY KEY (user_id, position),
    UNIQUE (user_id, hash)
  ) STRICT;

  -- Failures in a row. A user need not have 2FA on: a wrong password under a valid token counts too.
  CREATE TABLE throttle (
    user_id    TEXT NOT NULL,
    counter    TEXT NOT NULL CHECK (counter IN ('login', 'recovery', 'session')),
    failures   INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    PRIMARY KEY (user_id, counter)
  ) STRICT;

  CREATE TABLE sessions (
    id_hash         TEXT NOT NULL PRIMARY KEY,
    sealed_id       BLOB NOT NULL,
    target          TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    token_hash      TEXT,
    flows           TEXT NOT NULL CHECK (json_valid(flows)),
    completed       TEXT NOT NULL CHECK (json_valid(completed)),
    sealed_body     BLOB,
    body_digest     TEXT,
    sealed_password BLOB,
    hold_id         TEXT,
    failures        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_user ON sessions (user_id);
  CREATE INDEX sessions_by_binding ON sessions (token_hash, target) WHERE token_hash IS NOT NULL;
  CREATE INDEX sessions_by_hold ON sessions (hold_id) WHERE hold_id IS NOT NULL;
  CREATE INDEX sessions_by_age ON sessions (created_at);
  CREATE INDEX sessions_by_end ON sessions (expires_at);

  CREATE TABLE holds (
    id              TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    device_id       TEXT NOT NULL,
    join_key        TEXT,
    folded_join_key TEXT,
    sealed_grant    BLOB NOT NULL,
    at_end          TEXT NOT NULL CHECK (at_end IN ('logout', 'forget')),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- Who is finishing the sign-in, and how long nobody else may.
    claimant        TEXT,
    claimed_until   INTEGER NOT NULL DEFAULT 0,
    -- How long one process has it to log it out.
    leased_until    INTEGER NOT NULL DEFAULT 0,
    -- When a sweep may next take it: it has ended, nobody is finishing it and nobody is logging it out.
    due_at          INTEGER NOT NULL GENERATED ALWAYS AS (max(expires_at, claimed_until, leased_until)) STORED
  ) STRICT;
  CREATE INDEX holds_by_user ON holds (user_id);
  CREATE INDEX holds_by_join_key ON holds (join_key) WHERE join_key IS NOT NULL;
  CREATE INDEX holds_by_folded_join_key ON holds (folded_join_key) WHERE folded_join_key IS NOT NULL;
  CREATE INDEX holds_by_end ON holds (expires_at);
  CREATE INDEX holds_by_due ON holds (due_at);

  CREATE TABLE passed_login_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX passed_login_tokens_by_end ON passed_login_tokens (expires_at);

  CREATE TABLE fresh_logins (
    token_hash      TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    password_digest TEXT,
    expires_at      INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX fresh_logins_by_end ON fresh_logins (expires_at);

  CREATE TABLE audit (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    user_id   TEXT NOT NULL,
    event     TEXT NOT NULL,
    address   TEXT,
    device_id TEXT,
    detail    TEXT NOT NULL CHECK (json_valid(detail))
  ) STRICT;
  CREATE INDEX audit_by_user ON audit (user_id, number);

  -- One row that is written to see whether the store can write.
  CREATE TABLE store_checks (checks INTEGER NOT NULL) STRICT;
  INSERT INTO store_checks VALUES (0);
`;
