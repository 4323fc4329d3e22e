CREATE TABLE accounts (
    user_id          TEXT NOT NULL PRIMARY KEY,
    folded_localpart TEXT NOT NULL
  ) STRICT;
CREATE TABLE authenticators (
    id           TEXT NOT NULL PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name         TEXT NOT NULL,
    sealed_seed  BLOB NOT NULL,
    enabled_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    -- The last accepted time step: it only grows (attack 75).
    last_step    INTEGER NOT NULL
  ) STRICT;
CREATE TABLE setups (
    id          TEXT NOT NULL PRIMARY KEY,
    user_id     TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    sealed_seed BLOB NOT NULL,
    token_hash  TEXT NOT NULL,
    expires_at  INTEGER NOT NULL,
    failures    INTEGER NOT NULL
  ) STRICT;
CREATE TABLE recovery_sets (
    user_id       TEXT NOT NULL PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    salt          BLOB NOT NULL,
    pepper_key_id TEXT NOT NULL,
    generated_at  INTEGER NOT NULL
  ) STRICT;
CREATE TABLE recovery_codes (
    user_id  TEXT NOT NULL REFERENCES recovery_sets ON DELETE CASCADE,
    position INTEGER NOT NULL,
    hash     TEXT NOT NULL,
    used_at  INTEGER,
    PRIMARY KEY (user_id, position),
    UNIQUE (user_id, hash)
  ) STRICT;
CREATE TABLE throttle (
    user_id    TEXT NOT NULL,
    counter    TEXT NOT NULL CHECK (counter IN ('login', 'recovery', 'session')),
    failures   INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    PRIMARY KEY (user_id, counter)
  ) STRICT;
CREATE TABLE sessions (
    id_hash         TEXT NOT NULL PRIMARY KEY,
    sealed_id       BLOB NOT NULL,
    target          TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    token_hash      TEXT,
    flows           TEXT NOT NULL CHECK (json_valid(flows)),
    completed       TEXT NOT NULL CHECK (json_valid(completed)),
    sealed_body     BLOB,
    body_digest     TEXT,
    sealed_password BLOB,
    hold_id         TEXT,
    failures        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
  , sealed_token BLOB, device_id TEXT) STRICT;
CREATE TABLE holds (
    id              TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    device_id       TEXT NOT NULL,
    join_key        TEXT,
    folded_join_key TEXT,
    sealed_grant    BLOB NOT NULL,
    at_end          TEXT NOT NULL CHECK (at_end IN ('logout', 'forget')),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- Who is finishing the sign-in, and how long nobody else may.
    claimant        TEXT,
    claimed_until   INTEGER NOT NULL DEFAULT 0,
    -- How long one process has it to log it out.
    leased_until    INTEGER NOT NULL DEFAULT 0,
    -- When a sweep may next take it: it has ended, nobody is finishing it and nobody is logging it out.
    due_at          INTEGER NOT NULL GENERATED ALWAYS AS (max(expires_at, claimed_until, leased_until)) STORED
  ) STRICT;
CREATE TABLE passed_login_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
CREATE TABLE fresh_logins (
    token_hash      TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    password_digest TEXT,
    expires_at      INTEGER NOT NULL
  ) STRICT;
CREATE TABLE audit (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    user_id   TEXT NOT NULL,
    event     TEXT NOT NULL,
    address   TEXT,
    device_id TEXT,
    detail    TEXT NOT NULL CHECK (json_valid(detail))
  ) STRICT;
CREATE TABLE store_checks (checks INTEGER NOT NULL) STRICT;
CREATE TABLE sign_in_tokens (
    token_hash    TEXT NOT NULL PRIMARY KEY,
    hold_id       TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    second_factor INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
    expires_at    INTEGER NOT NULL
  ) STRICT;
CREATE TABLE session_turns (
    id_hash       TEXT NOT NULL PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    -- How long one request has the turn.
    taken_until   INTEGER NOT NULL,
    sealed_onward BLOB
  ) STRICT;
INSERT INTO accounts (user_id, folded_localpart) VALUES ('@bob:example.org', 'bob');
INSERT INTO authenticators (id, user_id, name, sealed_seed, enabled_at, last_used_at, last_step) VALUES ('_9I_8v--d5E80n5c', '@bob:example.org', 'phone', X'010B446C346D532D61774871497FAC1E37300661B36525F896FDCA8262071938EA726D8F6FC5F0FAEA81E79B774415182CF386C99CDF0D1E1781C3F8C8', 1795890354448, 1795890354724, 59863012);
INSERT INTO recovery_sets (user_id, salt, pepper_key_id, generated_at) VALUES ('@bob:example.org', X'F8A537CB6E6415F14AB5A9FA7646BA07', 'Dl4mS-awHqI', 1795890354697);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 1, '9e0b20e0fca3b71915a30dc9826d7cbd32c870b1484902e042636a3bf0a8c6d9', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 2, '6fb30011dacf8342e77b5c3553a26dbee488550c1dad35f6f884935ab5c5b148', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 3, 'b32aa8fab87e02c4037a3b8126a098c85eb97a3368fcb61d6ea8d726b4f3c913', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 4, 'a6296021e355d109d6bce49ada393c312e673408e44c67e6a996c78d889075a1', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 5, '3840a75e882002efca79c00ab267062318e8c0538fe0ccdef32f67641b12c3ca', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 6, 'ccfbcc6ec1c11a3cfce145b8bccb026ee27dd1265cd3da2daba5a1c1b87247a2', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 7, '5eee2d3ef6348eac80ec5216e34476c250c37306968e91eee0b509ab37886268', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 8, 'ed9f810715535335fd1c500f249201c6ad80ca469336d0bada6e400849e3edd3', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 9, '7208a5739730cdc99ef2276bf25fea004b9e57f440abf4d7d99739d896a2999c', NULL);
INSERT INTO recovery_codes (user_id, position, hash, used_at) VALUES ('@bob:example.org', 10, 'a45835ad809193f0594ca2377ef2c8e6c2c1b10c13080c11b6009a8f9c9e8e30', NULL);
INSERT INTO throttle (user_id, counter, failures, wait_until) VALUES ('@bob:example.org', 'login', 1, 1795890354747);
INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body, body_digest, sealed_password, hold_id, failures, created_at, expires_at, sealed_token, device_id) VALUES ('78050f2d0d5033474bc9e822ffd187fc227945b1d08a45303593724403b41e87', X'010B446C346D532D61774871496A458471CB6AC943891CB4B610784F46D6B287BB374D6B293D5DDFA42463432A28AD26F8735247F6F585EC340132F1B8B70167D0D0B4F6547F7AB592', 'POST /_matrix/client/v3/login', '@bob:example.org', NULL, '[["m.login.password","m.login.2fa.totp"],["m.login.password","m.login.2fa.recovery"]]', '["m.login.password"]', X'010B446C346D532D6177487149ADD0D6F7C0D927807595658ABF835E5DB3564AB232A92B45DCDB5BE95B6083CE98115690EB9D5D6F8F815C46D0C48DE19BA9A81E2F4FC5CEBB85C2E4A30D80C6116A1DD609A58DC943D21DE26E97AAC1D9550E50F9954D5C1ED9F9E0F1EAF339E1EDBB39DE5235EED1F50ECD471988363ABB86A84C13BD58DDCB67002A6B954892', 'dee53a1ccd680e0592ba050b5d928a81d5a926b651205282f5a7964a155da263', NULL, 'kyeXKP5Pj_dKEavRj8gn_MgU4p0', 1, 1795890354738, 1795890654737, NULL, NULL);
INSERT INTO holds (id, user_id, device_id, join_key, folded_join_key, sealed_grant, at_end, created_at, expires_at, claimant, claimed_until, leased_until) VALUES ('kyeXKP5Pj_dKEavRj8gn_MgU4p0', '@bob:example.org', 'F68E4FDA59', 'bde8c1a607228bbfbdebc6028a140e2027a741d709053ec193149f0eea2f8ec2', '87fdac1207fa4b8cd7e1753565a1dbe76b4f5e1bed432193b4bddbe8bb680503', X'010B446C346D532D6177487149AEF54322CEC07120B99972866BA8A57B4B1AFA2C5FD9892479272688132D2AA1455E019FAEB98B239224B70440B63525AC0C375DD5E8C7CFBC8474BCD00F551093CAD82468C4426905187B62793C1BA8D14FCCD957D2E8E2FF226CB2333940CB8721F77BBFDC57C75EFC111E2FAAEC5E284E3346A498E69597130D2651F2A7E8918B95BC9FDFF9D79429DC5B15BE3704706714B707C2A303CE9F82B8925A993D1FDBB7EFAE7747281940BBCAFE75E932B97FE70B0789E96D7B5CD78E99DB46FF08214A41CFEF50FF3FAEBF1C0AB74EB14BAA7FF9D42B7EC292EDBF57DEEC16413AE35C40A696F020BDC7C7FFC8621D19C7354E065AC4C347EB2DA51E965309AE9CEDEF79831E6D60007AF8B89C3FA3D2139878AC796E23B8B852483136A0053022AC', 'logout', 1795890354737, 1795890654737, NULL, 0, 0);
INSERT INTO fresh_logins (token_hash, user_id, password_digest, expires_at) VALUES ('f00a862ce0214dcee4a78248760bb4b71278e63fd9357e25e42f61e8344a5b07', '@bob:example.org', NULL, 1795890954727);
INSERT INTO audit (number, at, user_id, event, address, device_id, detail) VALUES (1, 1795890354701, '@bob:example.org', 'totp.enabled', '127.0.0.1', '38E428CFF7', '{"authenticator":"_9I_8v--d5E80n5c"}');
INSERT INTO audit (number, at, user_id, event, address, device_id, detail) VALUES (2, 1795890354725, '@bob:example.org', 'totp.used', '127.0.0.1', NULL, '{"place":"login","authenticator":"_9I_8v--d5E80n5c"}');
INSERT INTO audit (number, at, user_id, event, address, device_id, detail) VALUES (3, 1795890354727, '@bob:example.org', 'login.completed', '127.0.0.1', 'B26D43AF5B', '{}');
INSERT INTO audit (number, at, user_id, event, address, device_id, detail) VALUES (4, 1795890354748, '@bob:example.org', 'factor.refused', '127.0.0.1', NULL, '{"place":"login"}');
INSERT INTO store_checks (checks) VALUES (0);
CREATE INDEX accounts_by_folded_localpart ON accounts (folded_localpart);
CREATE INDEX authenticators_by_user ON authenticators (user_id);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_binding ON sessions (token_hash, target) WHERE token_hash IS NOT NULL;
CREATE INDEX sessions_by_hold ON sessions (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX sessions_by_age ON sessions (created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX holds_by_user ON holds (user_id);
CREATE INDEX holds_by_join_key ON holds (join_key) WHERE join_key IS NOT NULL;
CREATE INDEX holds_by_folded_join_key ON holds (folded_join_key) WHERE folded_join_key IS NOT NULL;
CREATE INDEX holds_by_end ON holds (expires_at);
CREATE INDEX holds_by_due ON holds (due_at);
CREATE INDEX passed_login_tokens_by_end ON passed_login_tokens (expires_at);
CREATE INDEX fresh_logins_by_end ON fresh_logins (expires_at);
CREATE INDEX audit_by_user ON audit (user_id, number);
CREATE INDEX sign_in_tokens_by_end ON sign_in_tokens (expires_at);
PRAGMA user_version = 3;
