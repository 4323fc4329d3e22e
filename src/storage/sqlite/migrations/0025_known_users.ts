/** Users who were seen: when first, and when last, to the day. */
export const knownUsers = `
  CREATE TABLE known_users (
    user_id       TEXT NOT NULL PRIMARY KEY,
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL
  ) STRICT;
`;
