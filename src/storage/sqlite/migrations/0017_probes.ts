/**
 * What a process says of itself, so that processes that do not fit can be found; and the hashes of nonces by which
 * `doctor` finds out whether a request reaches us.
 */
export const probes = `
  ALTER TABLE processes ADD COLUMN host TEXT NOT NULL DEFAULT '';
  ALTER TABLE processes ADD COLUMN version TEXT NOT NULL DEFAULT '';
  ALTER TABLE processes ADD COLUMN key_ids TEXT NOT NULL DEFAULT '';
  ALTER TABLE processes ADD COLUMN settings_digest TEXT NOT NULL DEFAULT '';

  CREATE TABLE probes (
    nonce_hash TEXT NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT;
`;
