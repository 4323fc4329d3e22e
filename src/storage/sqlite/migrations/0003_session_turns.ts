/** Sessions in which the homeserver is judging, or asks for more than a password. */
export const sessionTurns = `
  -- The device of the token that a session is bound to, for the audit.
  ALTER TABLE sessions ADD COLUMN device_id TEXT;

  CREATE TABLE session_turns (
    id_hash       TEXT NOT NULL PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    -- How long one request has the turn.
    taken_until   INTEGER NOT NULL,
    sealed_onward BLOB
  ) STRICT;
`;
