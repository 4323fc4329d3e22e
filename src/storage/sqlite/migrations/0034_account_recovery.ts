/** The delayed recovery of an account: requests, whom they tell, who votes on them, and what owners set for it beforehand. */
export const accountRecovery = `
  CREATE TABLE recovery_requests (
    id                  TEXT NOT NULL PRIMARY KEY,
    user_id             TEXT NOT NULL,
    state               TEXT NOT NULL
      CHECK (state IN ('waiting', 'open', 'cancelled', 'refused', 'finished', 'expired')),
    begun_at            INTEGER NOT NULL,
    -- How long its clock has to run, how long it has, and up to when that was counted.
    wait_ms             INTEGER NOT NULL,
    counted_ms          INTEGER NOT NULL DEFAULT 0,
    counted_at          INTEGER NOT NULL,
    -- As the owner had set them when it was begun. Without a time zone that of the server.
    time_zone           TEXT,
    absences            TEXT NOT NULL CHECK (json_valid(absences)),
    -- Whether a recovery code was given along.
    vouched             INTEGER NOT NULL,
    -- The claim code, kept as recovery codes are.
    salt                BLOB NOT NULL,
    pepper_key_id       TEXT NOT NULL,
    claim_hash          TEXT NOT NULL,
    claim_tag           INTEGER NOT NULL,
    -- When all were last told that it runs, and that it opens soon.
    told_at             INTEGER NOT NULL,
    told_soon_at        INTEGER,
    opened_at           INTEGER,
    -- When it ends if it was not finished, once it is open.
    closes_at           INTEGER,
    ended_at            INTEGER,
    -- By which way it ended, who did it, and why.
    ended_by            TEXT,
    ended_who           TEXT,
    reason              TEXT
  ) STRICT;
  CREATE UNIQUE INDEX recovery_requests_open ON recovery_requests (user_id) WHERE state IN ('waiting', 'open');
  CREATE INDEX recovery_requests_by_user ON recovery_requests (user_id, begun_at);

  -- Whom a request tells, fixed when it is begun; each has a link of their own that cancels it.
  CREATE TABLE recovery_notices (
    id             TEXT NOT NULL PRIMARY KEY,
    request_id     TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    channel        TEXT NOT NULL CHECK (channel IN ('mail', 'matrix', 'sms')),
    role           TEXT NOT NULL CHECK (role IN ('owner', 'contact', 'operator', 'voter', 'room_admin')),
    -- The address, and the secret of the link, which every further notice names again.
    sealed_address BLOB NOT NULL,
    cancel_hash    TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE INDEX recovery_notices_by_request ON recovery_notices (request_id);
  CREATE INDEX recovery_notices_by_user ON recovery_notices (user_id);

  CREATE TABLE recovery_votes (
    id          TEXT NOT NULL PRIMARY KEY,
    request_id  TEXT NOT NULL,
    -- Whose account is to be recovered.
    user_id     TEXT NOT NULL,
    voter       TEXT NOT NULL,
    link_hash   TEXT NOT NULL UNIQUE,
    sealed_link BLOB NOT NULL,
    vote        TEXT CHECK (vote IN ('yes', 'no')),
    -- How the voter made sure who asks.
    how         TEXT,
    voted_at    INTEGER,
    UNIQUE (request_id, voter)
  ) STRICT;
  CREATE INDEX recovery_votes_by_user ON recovery_votes (user_id);

  CREATE TABLE recovery_contacts (
    user_id              TEXT NOT NULL PRIMARY KEY,
    -- [{"userId", "namedTs"}]
    voters               TEXT NOT NULL CHECK (json_valid(voters)),
    contact_kind         TEXT CHECK (contact_kind IN ('mail', 'phone')),
    sealed_contact       BLOB,
    contact_confirmed_at INTEGER,
    -- Of the link that confirms it.
    confirm_hash         TEXT UNIQUE,
    confirm_until        INTEGER,
    time_zone            TEXT,
    -- [{"from", "to"}], days
    absences             TEXT NOT NULL CHECK (json_valid(absences)),
    changed_at           INTEGER NOT NULL
  ) STRICT;
`;
