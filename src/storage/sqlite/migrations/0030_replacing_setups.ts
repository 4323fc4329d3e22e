/** Which authenticators a set-up is to replace: a JSON list of their ids, or `"all"`. Null: none. */
export const replacingSetups = `
  ALTER TABLE setups ADD COLUMN replaces TEXT;
`;
