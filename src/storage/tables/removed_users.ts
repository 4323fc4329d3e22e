import { type Effect, effect } from '../statement.ts';
import { endDevicePasswordsOf } from './device_passwords.ts';
import { endOauthSessionsOf } from './oauth_sessions.ts';
import { endProofsAndPages } from './proofs.ts';

/**
 * The tables in which a user can have rows that go with their account, those first that refer to others. A test
 * compares with the schema: a new table with users in it stands here or below.
 */
export const REMOVED_WITH_USER = [
  'recovery_codes',
  'recovery_sets',
  'emergency_codes',
  'setups',
  'credentials',
  'authenticators',
  'challenges',
  'sessions',
  'lanes',
  'known_places',
  'allowances',
  'passed_login_tokens',
  'sign_in_tokens',
  'factor_tokens',
  'oauth_grants',
  'fresh_logins',
  'recovery_votes',
  'recovery_notices',
  'recovery_requests',
  'recovery_contacts',
  'notice_addresses',
  'notice_owners',
  'policies',
  'known_users',
  'accounts',
] as const;

/** What stays: the record, what waits for its logout until then, notices until they are sent, and ended OAuth sessions for their time. */
export const KEPT_WITHOUT_USER = [
  'audit',
  'holds',
  'page_sessions',
  'device_passwords',
  'oauth_sessions',
  'notices',
] as const;

/** Removes all of a user whose account is closed, but what is on record; in a unit that names them. */
export function removeUser(userId: string): readonly Effect[] {
  const rows = REMOVED_WITH_USER.map((table) =>
    effect(`DELETE FROM ${table} WHERE user_id = :userId`, { userId }),
  );
  return [
    ...endProofsAndPages(userId),
    endDevicePasswordsOf(userId),
    endOauthSessionsOf(userId, { because: 'account_closed', logout: 'needless' }),
    ...rows,
  ];
}
