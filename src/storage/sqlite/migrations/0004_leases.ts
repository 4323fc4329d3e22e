/** What one process at a time has a right to, and how many logins a user may begin. */
export const leases = `
  CREATE TABLE leases (
    key            TEXT NOT NULL PRIMARY KEY,
    holder         TEXT NOT NULL,
    -- 0 as soon as it was given back, 1 before.
    taken          INTEGER NOT NULL DEFAULT 1 CHECK (taken IN (0, 1)),
    until_at       INTEGER NOT NULL,
    -- What the holder leaves to those who wait.
    sealed_outcome BLOB
  ) STRICT;
  CREATE INDEX leases_by_end ON leases (until_at);

  -- A bucket for each user: how many logins are left that may wait for a second factor.
  CREATE TABLE allowances (
    user_id TEXT NOT NULL PRIMARY KEY,
    level   REAL NOT NULL,
    at      INTEGER NOT NULL
  ) STRICT;
`;
