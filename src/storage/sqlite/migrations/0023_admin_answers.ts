/** Answers of the admin API to requests that came with a key of their own, so that none is carried out twice. */
export const adminAnswers = `
  CREATE TABLE admin_answers (
    key            TEXT PRIMARY KEY,
    request_digest TEXT NOT NULL,
    holder         TEXT NOT NULL,
    taken_until    INTEGER NOT NULL,
    sealed_answer  BLOB,
    expires_at     INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX admin_answers_by_end ON admin_answers (expires_at);
`;
