/** Login tokens that were issued under 2FA, and that a change of factors or password has ended (attack 153). */
export const endedLoginTokens = `
  ALTER TABLE passed_login_tokens ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1));
  CREATE INDEX passed_login_tokens_by_user ON passed_login_tokens (user_id);
  CREATE INDEX fresh_logins_by_user ON fresh_logins (user_id);
`;
