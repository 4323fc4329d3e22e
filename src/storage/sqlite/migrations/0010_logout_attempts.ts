/** How often an ended hold was tried to be logged out: it is tried ever more rarely (attack 165). */
export const logoutAttempts = `
  ALTER TABLE holds ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
`;
