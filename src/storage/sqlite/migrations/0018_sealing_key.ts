/** The key that each process seals with now: another one cannot be retired while a process still seals with it. */
export const sealingKey = `
  ALTER TABLE processes ADD COLUMN sealing_key TEXT NOT NULL DEFAULT '';
`;
