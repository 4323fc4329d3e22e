/**
 * The sessions of the account page. Its cookie, its access token and the keys of its pages stand here hashed; the token
 * is sealed beside them, for the page that brings the cookie.
 */
export const pageSessions = `
  CREATE TABLE page_sessions (
    id              TEXT NOT NULL PRIMARY KEY,
    cookie_hash     TEXT NOT NULL UNIQUE,
    user_id         TEXT NOT NULL,
    device_id       TEXT,
    token_hash      TEXT NOT NULL,
    sealed_token    BLOB NOT NULL,
    -- The second factor of the sign-in; none where the account had none.
    factor          TEXT,
    -- Hashes of the newest keys, each with a blank behind it.
    page_keys       TEXT NOT NULL DEFAULT '',
    -- The step-up: until when, by which factor, and under which version of the account it was accepted.
    step_up_until   INTEGER NOT NULL DEFAULT 0,
    step_up_version INTEGER NOT NULL DEFAULT 0,
    step_up_by      TEXT,
    created_at      INTEGER NOT NULL,
    -- Its longest life, and when it ends unless its page calls again.
    expires_at      INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    -- How long one process has it to log it out, and how often that was begun.
    leased_until    INTEGER NOT NULL DEFAULT 0,
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- When a sweep may next take it.
    due_at          INTEGER NOT NULL GENERATED ALWAYS AS (max(ends_at, leased_until)) STORED
  ) STRICT;
  CREATE INDEX page_sessions_by_user ON page_sessions (user_id);
  CREATE INDEX page_sessions_by_token ON page_sessions (token_hash);
  CREATE INDEX page_sessions_by_due ON page_sessions (due_at);
`;
