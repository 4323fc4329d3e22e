/**
 * Device passwords: each releases the one login that was made for it. The secret stands here as a keyed digest, the
 * access token sealed.
 */
export const devicePasswords = `
  CREATE TABLE device_passwords (
    id                TEXT NOT NULL PRIMARY KEY,
    user_id           TEXT NOT NULL,
    name              TEXT NOT NULL,
    -- Of the secret, under the key of the ring that it names.
    secret_digest     TEXT NOT NULL UNIQUE,
    device_id         TEXT NOT NULL,
    token_hash        TEXT NOT NULL,
    sealed_token      BLOB NOT NULL,
    created_at        INTEGER NOT NULL,
    -- When its token expires; most do not.
    expires_at        INTEGER,
    first_used_at     INTEGER,
    last_used_at      INTEGER,
    last_used_address TEXT,
    -- When a use was last put on record.
    recorded_at       INTEGER NOT NULL DEFAULT 0,
    -- Since when it releases nothing any more, and waits to be logged out.
    ended_at          INTEGER,
    -- How long one process has it to log it out, and how often that was begun.
    leased_until      INTEGER NOT NULL DEFAULT 0,
    attempts          INTEGER NOT NULL DEFAULT 0,
    -- When a sweep may next take it.
    due_at            INTEGER GENERATED ALWAYS AS (CASE WHEN ended_at IS NOT NULL THEN max(ended_at, leased_until) END) STORED
  ) STRICT;
  CREATE INDEX device_passwords_by_user ON device_passwords (user_id);
  CREATE INDEX device_passwords_by_token ON device_passwords (token_hash);
  CREATE INDEX device_passwords_by_due ON device_passwords (due_at);
`;
