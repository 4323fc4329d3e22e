/**
 * Under which version of its account a session that waits on a held login was opened: it takes the login only under
 * that one. Null in other sessions.
 */
export const sessionVersion = `
  ALTER TABLE sessions ADD COLUMN version INTEGER;
  UPDATE sessions SET version =
    coalesce((SELECT accounts.version FROM accounts WHERE accounts.user_id = sessions.user_id), 0)
    WHERE hold_id IS NOT NULL;
`;
