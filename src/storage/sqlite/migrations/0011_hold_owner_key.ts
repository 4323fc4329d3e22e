/** Holds are also found by the user whom the homeserver named, whatever name they were made under. */
export const holdOwnerKey = `
  -- The folded join key of a sign-in by that user's own name.
  ALTER TABLE holds ADD COLUMN owner_join_key TEXT;
  CREATE INDEX holds_by_owner_join_key ON holds (owner_join_key) WHERE owner_join_key IS NOT NULL;
`;
