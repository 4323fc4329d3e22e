/**
 * Wrong codes are counted in lanes: the old counters of a user go. Recovery codes get tags, by which a wrong code is
 * told without a slow hash; sets that were made before have none.
 */
export const lanes = `
  DROP TABLE throttle;

  CREATE TABLE lanes (
    user_id    TEXT NOT NULL,
    lane       TEXT NOT NULL,
    failures   INTEGER NOT NULL,
    -- No code is looked at before this time.
    wait_until INTEGER NOT NULL,
    -- How many wrong codes are left, at the time of budget_at.
    budget     REAL NOT NULL,
    budget_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, lane)
  ) STRICT;
  CREATE INDEX lanes_by_use ON lanes (budget_at);

  -- Where a user has passed a factor: keyed digests of networks and browsers, with the user.
  CREATE TABLE known_places (
    user_id      TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('network', 'browser')),
    digest       TEXT NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, digest)
  ) STRICT;
  CREATE INDEX known_places_by_use ON known_places (last_used_at);

  ALTER TABLE recovery_codes ADD COLUMN tag INTEGER;
`;
