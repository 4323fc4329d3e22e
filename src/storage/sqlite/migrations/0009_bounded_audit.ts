/** What an access token alone can write has a bound. */
export const boundedAudit = `
  -- The newest lines of one kind, and those that there are too many of.
  CREATE INDEX audit_by_kind ON audit (user_id, event, number);

  -- How often the user gave an authenticator another name in the hour that began then.
  ALTER TABLE accounts ADD COLUMN renames INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE accounts ADD COLUMN renames_since INTEGER NOT NULL DEFAULT 0;
`;
