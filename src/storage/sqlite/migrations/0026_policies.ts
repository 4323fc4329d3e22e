/**
 * What is known of a user for the operator's policy: what was set for them by command, what the homeserver said of them,
 * and since when they are under the requirement.
 */
export const policies = `
  CREATE TABLE policies (
    user_id          TEXT NOT NULL PRIMARY KEY,
    mode             TEXT CHECK (mode IN ('optional', 'required', 'forbidden')),
    grace_ms         INTEGER,
    grace_until      INTEGER,
    is_administrator INTEGER,
    exempt           TEXT CHECK (exempt IN ('guest', 'no_password')),
    registered_at    INTEGER,
    required_since   INTEGER,
    grace_ended_at   INTEGER
  ) STRICT;
  CREATE INDEX policies_by_mode ON policies (mode) WHERE mode IS NOT NULL;
`;
