/** The fallback page of a guarded request says from which address it was asked for (attack 151). */
export const sessionAddresses = `
  ALTER TABLE sessions ADD COLUMN address TEXT;
`;
