/** What bounds the sessions of a held login, a token, a user and a door, and finds them without reading all of them. */
export const sessionPots = `
  ALTER TABLE sessions ADD COLUMN pot TEXT NOT NULL DEFAULT 'login' CHECK (pot IN ('page', 'login', 'token'));
  UPDATE sessions SET pot = CASE
    WHEN token_hash IS NOT NULL THEN 'token' WHEN target LIKE 'page %' THEN 'page' ELSE 'login' END;
  -- Keyed digest of the network that opened the session.
  ALTER TABLE sessions ADD COLUMN network TEXT;

  DROP INDEX sessions_by_binding;
  DROP INDEX sessions_by_hold;
  DROP INDEX sessions_by_age;
  CREATE INDEX sessions_by_token ON sessions (token_hash, created_at) WHERE token_hash IS NOT NULL;
  CREATE INDEX sessions_by_hold ON sessions (hold_id, pot) WHERE hold_id IS NOT NULL;
  CREATE INDEX sessions_by_pot ON sessions (pot, user_id);
`;
