/** Codes that operators give out: one for each user at most, good once and for a time. Kept as recovery codes are. */
export const emergencyCodes = `
  CREATE TABLE emergency_codes (
    user_id       TEXT PRIMARY KEY,
    salt          BLOB NOT NULL,
    pepper_key_id TEXT NOT NULL,
    hash          TEXT NOT NULL,
    tag           INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX emergency_codes_by_end ON emergency_codes (expires_at);
`;
