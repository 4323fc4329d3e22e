/**
 * Authenticators and set-ups of every kind of factor; the first kind was TOTP. What a factor asks a client to answer is
 * kept for one session until it is answered, right or wrong.
 */
export const factorKinds = `
  ALTER TABLE authenticators ADD COLUMN kind TEXT NOT NULL DEFAULT 'totp';
  ALTER TABLE setups ADD COLUMN kind TEXT NOT NULL DEFAULT 'totp';

  CREATE TABLE challenges (
    session_hash TEXT NOT NULL,
    kind         TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    sealed       BLOB NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (session_hash, kind)
  ) STRICT;
  CREATE INDEX challenges_by_end ON challenges (expires_at);
`;
