/** The sign-in page and the fallback pages: what they need to remember. */
export const signInPage = `
  -- The access token under which a session was opened, for pages that have a password judged.
  ALTER TABLE sessions ADD COLUMN sealed_token BLOB;

  CREATE TABLE sign_in_tokens (
    token_hash    TEXT NOT NULL PRIMARY KEY,
    hold_id       TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
    expires_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sign_in_tokens_by_end ON sign_in_tokens (expires_at);
`;
