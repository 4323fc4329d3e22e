/** What messages about a recovery say of its beginning, and that operators were told of a device in use meanwhile. */
export const recoveryTold = `
  -- The address that it was begun from; dropped some time after its end.
  ALTER TABLE recovery_requests ADD COLUMN begun_from TEXT;
  ALTER TABLE recovery_requests ADD COLUMN use_told_at INTEGER;
`;
