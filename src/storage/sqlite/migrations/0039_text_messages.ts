/** Notices may go out as text messages: what a check allows cannot be changed in SQLite, so the table is made again. */
export const textMessages = `
  CREATE TABLE notices_made_again (
    id          TEXT NOT NULL PRIMARY KEY,
    channel     TEXT NOT NULL CHECK (channel IN ('mail', 'matrix', 'webhook', 'sms')),
    event       TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    actor       TEXT NOT NULL,
    address     TEXT,
    device_id   TEXT,
    detail      TEXT NOT NULL CHECK (json_valid(detail)),
    happened_at INTEGER NOT NULL,
    -- Of notice_addresses or recovery_notices, or what the event says; a mail without one is yet to be made one for
    -- each address.
    recipient   TEXT,
    made_at     INTEGER NOT NULL,
    -- While a process sends it, the end of that process's lease. Null: a dead letter.
    due_at      INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Why the last attempt failed.
    failure     TEXT
  ) STRICT;
  INSERT INTO notices_made_again (id, channel, event, user_id, actor, address, device_id, detail, happened_at,
      recipient, made_at, due_at, attempts, failure)
    SELECT id, channel, event, user_id, actor, address, device_id, detail, happened_at,
      recipient, made_at, due_at, attempts, failure
    FROM notices ORDER BY rowid;
  DROP TABLE notices;
  ALTER TABLE notices_made_again RENAME TO notices;
  CREATE INDEX notices_by_due ON notices (channel, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX dead_notices_by_age ON notices (made_at) WHERE due_at IS NULL;
`;
