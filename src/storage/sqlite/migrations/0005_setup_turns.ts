/** Of many confirmations of one set-up at once, one has its turn. */
export const setupTurns = `
  ALTER TABLE setups ADD COLUMN taken_until INTEGER NOT NULL DEFAULT 0;
`;
