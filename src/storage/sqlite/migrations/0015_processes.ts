/** The processes that serve on this database. */
export const processes = `
  CREATE TABLE processes (
    id      TEXT NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
  ) STRICT;
`;
