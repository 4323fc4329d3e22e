/** What tells this database and its copies from every other one, and whether anybody ever had 2FA on in it. */
export const databaseIdentity = `
  CREATE TABLE database_identity (
    -- Random; copies keep it.
    id                TEXT NOT NULL PRIMARY KEY,
    first_enrolled_at INTEGER
  ) STRICT;
  INSERT INTO database_identity
    SELECT lower(hex(randomblob(16))), (SELECT min(enabled_at) FROM authenticators);
`;
