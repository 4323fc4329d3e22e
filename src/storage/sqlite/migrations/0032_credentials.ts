/**
 * Public keys of authenticators that sign: the digest of each credential id, which names one authenticator of all
 * accounts, and what changes with its use. The row goes with its authenticator, also where an older process removes it.
 * It is written first, so that of two confirmations at once one has the credential: the reference is looked at when the
 * unit is committed.
 */
export const credentials = `
  CREATE TABLE credentials (
    authenticator_id TEXT NOT NULL PRIMARY KEY
      REFERENCES authenticators ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    user_id          TEXT NOT NULL,
    credential_hash  TEXT NOT NULL UNIQUE,
    rp_id            TEXT NOT NULL,
    backed_up        INTEGER NOT NULL,
    counter_alert_at INTEGER
  ) STRICT;
  CREATE INDEX credentials_by_user ON credentials (user_id);
`;
