/**
 * Visits of our pages: what stands between the requests of a browser. `session_hash` is that of the session whose login
 * is held; `taken_until` is past where no request is at work on it.
 */
export const visits = `
  CREATE TABLE visits (
    id_hash      TEXT NOT NULL PRIMARY KEY,
    browser      TEXT NOT NULL,
    session_hash TEXT,
    turn         INTEGER NOT NULL,
    taken_until  INTEGER NOT NULL,
    sealed_state BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX visits_by_browser ON visits (browser, created_at);
  CREATE INDEX visits_by_age ON visits (created_at);
  CREATE INDEX visits_by_end ON visits (expires_at);
`;
