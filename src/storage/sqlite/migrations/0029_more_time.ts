/** Whether a held login has had the more time that a set-up takes: it has it once. */
export const moreTime = `
  ALTER TABLE holds ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;
`;
