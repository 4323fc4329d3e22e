/**
 * What a program may do with a schema that is newer than the newest it knows: it may work on it if it knows the version
 * `readable_from` (docs/operate.md). In PostgreSQL the table is there before the first migration.
 */
export const schemaInfo = `
  CREATE TABLE IF NOT EXISTS schema_info (
    version       INTEGER NOT NULL,
    readable_from INTEGER
  ) STRICT;
`;
