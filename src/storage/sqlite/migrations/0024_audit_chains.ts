/** Chains of the audit: what is changed, removed or added without the keys is found (docs/security_model.md). */
export const auditChains = `
  -- The place of an entry in its chain. Null in entries from before there were chains.
  ALTER TABLE audit ADD COLUMN chain INTEGER;
  ALTER TABLE audit ADD COLUMN n INTEGER;
  ALTER TABLE audit ADD COLUMN actor TEXT;
  ALTER TABLE audit ADD COLUMN request_id TEXT;
  -- Of the address that was shortened since.
  ALTER TABLE audit ADD COLUMN address_digest TEXT;
  ALTER TABLE audit ADD COLUMN address_mac TEXT;
  ALTER TABLE audit ADD COLUMN mac TEXT;
  CREATE UNIQUE INDEX audit_by_place ON audit (chain, n) WHERE chain IS NOT NULL;
  CREATE INDEX audit_by_time ON audit (at);
  CREATE INDEX audit_with_address ON audit (at) WHERE address IS NOT NULL AND address_digest IS NULL;

  -- Chain 0 has no entries: its head says how many chains there are.
  CREATE TABLE audit_chains (
    chain       INTEGER NOT NULL UNIQUE,
    opened_at   INTEGER NOT NULL,
    -- The newest entry of the chain before, when this one began.
    before_n    INTEGER NOT NULL,
    before_mac  TEXT NOT NULL,
    mac         TEXT NOT NULL,
    n           INTEGER NOT NULL,
    sealed_head BLOB NOT NULL
  ) STRICT;

  -- Entries that were removed because of their age or number.
  CREATE TABLE audit_gaps (
    chain    INTEGER NOT NULL,
    first_n  INTEGER NOT NULL,
    last_n   INTEGER NOT NULL,
    last_mac TEXT NOT NULL,
    mac      TEXT NOT NULL,
    PRIMARY KEY (chain, first_n)
  ) STRICT;

  -- Keys of macs whose ring keys were retired.
  CREATE TABLE audit_keys (
    key_id     TEXT NOT NULL PRIMARY KEY,
    sealed_key BLOB NOT NULL
  ) STRICT;
`;
