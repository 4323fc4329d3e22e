/**
 * What grows when factors or password of a user change. A row of `accounts` means only that the user was seen;
 * 2FA is on where they have an authenticator.
 */
export const accountVersion = `
  ALTER TABLE accounts ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
`;
