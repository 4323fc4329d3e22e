/** Notices that wait to be sent, what is known of those they go to, and their mail addresses. */
export const notices = `
  CREATE TABLE notices (
    id          TEXT NOT NULL PRIMARY KEY,
    channel     TEXT NOT NULL CHECK (channel IN ('mail', 'matrix', 'webhook')),
    event       TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    actor       TEXT NOT NULL,
    address     TEXT,
    device_id   TEXT,
    detail      TEXT NOT NULL CHECK (json_valid(detail)),
    happened_at INTEGER NOT NULL,
    -- Of notice_addresses; a mail without one is yet to be made one for each address.
    recipient   TEXT,
    made_at     INTEGER NOT NULL,
    -- While a process sends it, the end of that process's lease. Null: a dead letter.
    due_at      INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Why the last attempt failed.
    failure     TEXT
  ) STRICT;
  CREATE INDEX notices_by_due ON notices (channel, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX dead_notices_by_age ON notices (made_at) WHERE due_at IS NULL;

  CREATE TABLE notice_owners (
    user_id     TEXT NOT NULL PRIMARY KEY,
    -- Of their last visit to one of our pages.
    language    TEXT,
    -- When they were last told of wrong codes.
    failures_at INTEGER,
    -- When the homeserver was last asked for their mail addresses.
    asked_at    INTEGER,
    -- The direct room with them.
    room_id     TEXT
  ) STRICT;

  CREATE TABLE notice_addresses (
    id             TEXT NOT NULL PRIMARY KEY,
    user_id        TEXT NOT NULL,
    sealed_address BLOB NOT NULL,
    -- Since when the homeserver no longer names it.
    gone_at        INTEGER
  ) STRICT;
  CREATE INDEX notice_addresses_by_user ON notice_addresses (user_id);
`;
