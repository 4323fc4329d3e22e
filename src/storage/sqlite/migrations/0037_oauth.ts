/**
 * The OAuth 2.0 API: apps that have registered, codes and device grants under way, sessions that came of them, and the
 * keys that sign ID tokens. Codes and tokens stand here as hashes, what they open is sealed.
 */
export const oauth = `
  CREATE TABLE oauth_clients (
    -- Of its metadata: equal metadata, equal id.
    client_id  TEXT NOT NULL PRIMARY KEY,
    metadata   TEXT NOT NULL CHECK (json_valid(metadata)),
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX oauth_clients_by_use ON oauth_clients (used_at);
  CREATE TABLE oauth_grants (
    -- Of the code, or of the device code.
    id_hash        TEXT NOT NULL PRIMARY KEY,
    kind           TEXT NOT NULL CHECK (kind IN ('code', 'device')),
    state          TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'used')),
    client_id      TEXT NOT NULL,
    scope          TEXT NOT NULL,
    device_id      TEXT NOT NULL,
    -- Of a code.
    nonce          TEXT,
    redirect_uri   TEXT,
    challenge      TEXT,
    -- Of a device grant.
    user_code_hash TEXT UNIQUE,
    asked_from     TEXT,
    polled_at      INTEGER,
    interval_ms    INTEGER,
    -- Once its user has approved it.
    user_id        TEXT,
    version        INTEGER,
    sealed_login   BLOB,
    -- Who is logging in for it, and for how long.
    claimant       TEXT,
    claimed_until  INTEGER NOT NULL DEFAULT 0,
    used_at        INTEGER,
    session_id     TEXT,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX oauth_grants_by_user ON oauth_grants (user_id);
  CREATE INDEX oauth_grants_by_client ON oauth_grants (client_id);
  CREATE INDEX oauth_grants_by_end ON oauth_grants (expires_at);
  CREATE INDEX oauth_grants_by_address ON oauth_grants (asked_from, state);
  CREATE INDEX oauth_grants_by_state ON oauth_grants (kind, state);
  CREATE TABLE oauth_sessions (
    -- Its refresh tokens hold it.
    session_id           TEXT NOT NULL PRIMARY KEY,
    user_id              TEXT NOT NULL,
    device_id            TEXT NOT NULL,
    client_id            TEXT NOT NULL,
    scope                TEXT NOT NULL,
    access_hash          TEXT NOT NULL UNIQUE,
    -- A homeserver may accept the token before the newest one until that is used.
    previous_access_hash TEXT,
    refresh_hash         TEXT NOT NULL,
    previous_hash        TEXT,
    rotated_at           INTEGER,
    sealed_tokens        BLOB,
    -- What the newest rotation answered, for who asks again.
    sealed_answer        BLOB,
    -- How long one request has it to refresh the homeserver's token.
    leased_until         INTEGER NOT NULL DEFAULT 0,
    created_at           INTEGER NOT NULL,
    used_at              INTEGER NOT NULL,
    ended_at             INTEGER,
    ended_because        TEXT,
    -- When it is next tried to log it out; null where nothing is left to log out.
    logout_due_at        INTEGER,
    logout_attempts      INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX oauth_sessions_by_user ON oauth_sessions (user_id);
  CREATE INDEX oauth_sessions_by_client ON oauth_sessions (client_id);
  CREATE INDEX oauth_sessions_by_previous ON oauth_sessions (previous_access_hash);
  CREATE INDEX oauth_sessions_by_end ON oauth_sessions (ended_at);
  CREATE INDEX oauth_sessions_by_logout ON oauth_sessions (logout_due_at);
  CREATE INDEX oauth_sessions_by_lease ON oauth_sessions (leased_until);
  CREATE TABLE oauth_keys (
    -- From 1: of two processes that make one at once, one wins.
    number     INTEGER NOT NULL PRIMARY KEY,
    kid        TEXT NOT NULL UNIQUE,
    sealed_key BLOB NOT NULL,
    public_jwk TEXT NOT NULL CHECK (json_valid(public_jwk)),
    created_at INTEGER NOT NULL
  ) STRICT;
`;
