import { ask, type Decision, decide, type Query } from '../statement.ts';

/** A column whose values the vault seals. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The user whose row it is; none where rows are not a user's. */
  readonly user: 'user_id' | null;
  /** The columns that the identity of a value is made of, by their names in it. */
  readonly named: readonly string[];
  /** What stands before them. */
  readonly prefix: string;
}

/** Every column that is sealed, with the identity that its values are sealed for; a test compares it with the schema. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  sealed('authenticators.sealed_seed', 'authenticator', ['id', 'user_id']),
  sealed('setups.sealed_seed', 'setup', ['id', 'user_id']),
  sealed('sessions.sealed_id', 'session-id', ['id_hash']),
  sealed('sessions.sealed_body', 'session', ['id_hash']),
  sealed('sessions.sealed_password', 'session-password', ['id_hash']),
  sealed('sessions.sealed_token', 'session-token', ['id_hash']),
  sealed('holds.sealed_grant', 'hold', ['id', 'user_id']),
  sealed('page_sessions.sealed_token', 'page-session', ['id', 'user_id']),
  sealed('device_passwords.sealed_token', 'device-password', ['id', 'user_id']),
  sealed('oauth_grants.sealed_login', 'oauth-grant', ['id_hash', 'user_id']),
  sealed('oauth_sessions.sealed_tokens', 'oauth-session', ['session_id', 'user_id']),
  sealed('oauth_sessions.sealed_answer', 'oauth-answer', ['session_id', 'user_id']),
  sealed('oauth_keys.sealed_key', 'oauth-key', ['kid'], null),
  sealed('session_turns.sealed_onward', 'session-onward', ['id_hash'], null),
  sealed('leases.sealed_outcome', 'lease', ['key', 'holder'], null),
  sealed('challenges.sealed', 'challenge', ['session_hash']),
  sealed('notice_addresses.sealed_address', 'notice-address', ['id', 'user_id']),
  sealed('recovery_notices.sealed_address', 'recovery-notice', ['id', 'user_id']),
  sealed('recovery_votes.sealed_link', 'recovery-vote', ['id', 'user_id']),
  sealed('recovery_contacts.sealed_contact', 'recovery-contact', ['user_id']),
  sealed('visits.sealed_state', 'visit', ['id_hash'], null),
  sealed('admin_answers.sealed_answer', 'admin-answer', ['key'], null),
  sealed('audit_chains.sealed_head', 'audit-head', ['chain'], null),
  sealed('audit_keys.sealed_key', 'audit-key', ['key_id'], null),
];

function sealed(
  place: `${string}.${string}`,
  prefix: string,
  named: readonly string[],
  user: SealedColumn['user'] = 'user_id',
): SealedColumn {
  const [table = '', column = ''] = place.split('.');
  return { table, column, user, named, prefix };
}

/** A sealed value as it stands in its row. */
export interface SealedValue {
  /** The row, until it is written the next time. */
  readonly row: number;
  readonly user: string | null;
  readonly identity: string;
  readonly sealed: Buffer;
}

/** How many values begin with this header (`sealHeader` of the vault), in all columns together. */
export function countSealed(header: Buffer): Query<{ readonly count: number }> {
  const counts = SEALED_COLUMNS.map(
    (place) => `(SELECT count(*) FROM ${place.table} WHERE ${isUnder(place, header)})`,
  );
  return ask(`SELECT ${counts.join(' + ')} AS count`, { header });
}

/** How many values begin with none of these headers, in all columns together. */
export function countSealedElse(headers: readonly Buffer[]): Query<{ readonly count: number }> {
  const names = headers.map((header, at) => [`header${at}`, header] as const);
  const counts = SEALED_COLUMNS.map((place) => {
    const isKnown = names.map(([name, header]) => isUnder(place, header, name)).join(' OR ');
    return `(SELECT count(*) FROM ${place.table} WHERE ${place.column} IS NOT NULL AND NOT (${isKnown}))`;
  });
  return ask(`SELECT ${counts.join(' + ')} AS count`, Object.fromEntries(names));
}

/** The next values of a column that begin with this header, in the order of their rows. */
export function findSealed(
  place: SealedColumn,
  header: Buffer,
  after: number,
  most: number,
): Query<SealedValue> {
  const identity = [`'${place.prefix}'`, ...place.named].join(" || ':' || ");
  return ask(
    `SELECT rowid AS "row", ${place.user ?? 'NULL'} AS "user", ${identity} AS identity, ${place.column} AS sealed
     FROM ${place.table} WHERE ${isUnder(place, header)} AND rowid > :after ORDER BY rowid LIMIT :most`,
    { header, after, most },
  );
}

/** Puts a value in the place of another one; lost if that one is not there any more. */
export function replaceSealed(
  { table, column }: SealedColumn,
  { row, sealed }: SealedValue,
  by: Buffer,
): Decision<object> {
  return decide(`UPDATE ${table} SET ${column} = :by WHERE rowid = :row AND ${column} = :sealed`, {
    row,
    sealed,
    by,
  });
}

/** How many sets of recovery codes, codes of operators that are still good, and open claim codes are hashed with the pepper of this key. */
export function countPeppered(
  keyId: string,
): Query<{ readonly sets: number; readonly emergencyCodes: number; readonly claims: number }> {
  return ask(
    `SELECT (SELECT count(*) FROM recovery_sets WHERE pepper_key_id = :keyId) AS sets,
       (SELECT count(*) FROM emergency_codes WHERE pepper_key_id = :keyId AND expires_at > :now) AS "emergencyCodes",
       (SELECT count(*) FROM recovery_requests
        WHERE pepper_key_id = :keyId AND state IN ('waiting', 'open')) AS claims`,
    { keyId },
  );
}

/** Numbers are bound as BIGINT, which PostgreSQL does not take for a length: so it stands in the text. */
function isUnder({ column }: SealedColumn, header: Buffer, name = 'header'): string {
  return `substr(${column}, 1, ${header.length}) = :${name}`;
}
