/** What a sign-in, a start and housekeeping look for is found without reading all that there is. */
export const boundedReads = `
  -- Whoever has a policy of their own is found by their name. Names in other letters than ASCII are folded by the program
  -- alone (foldLocalpart in matrix/user_id.ts), when the policy is set again.
  UPDATE accounts SET folded_localpart = lower(substr(user_id, 2, instr(user_id, ':') - 2))
    WHERE folded_localpart = '' AND user_id LIKE '@%:%'
      AND user_id IN (SELECT user_id FROM policies WHERE mode IS NOT NULL);

  CREATE INDEX credentials_by_domain ON credentials (rp_id);

  -- One row: up to which number entries were looked at for those of which only the newest stay.
  CREATE TABLE audit_prunings (looked_until INTEGER NOT NULL) STRICT;
  INSERT INTO audit_prunings VALUES (0);
`;
