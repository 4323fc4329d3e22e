/** Which reminder of a required set-up was told last, and of which deadline. */
export const policyTold = `
  ALTER TABLE policies ADD COLUMN told_stage INTEGER;
  ALTER TABLE policies ADD COLUMN told_deadline INTEGER;
  CREATE INDEX policies_by_requirement ON policies (user_id) WHERE required_since IS NOT NULL;
`;
