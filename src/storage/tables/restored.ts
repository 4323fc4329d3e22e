import { ask, bothDialects, type Effect, effect, type Query } from '../statement.ts';
import { freeEndedDevicePasswords } from './device_passwords.ts';
import { freeOauthLogouts } from './oauth_sessions.ts';
import { endAllPageSessions } from './page_sessions.ts';

/** Tables of what is under way: none of it may go on from a copy. */
const UNDER_WAY = [
  'session_turns',
  'challenges',
  'sessions',
  'setups',
  'leases',
  'sign_in_tokens',
  'factor_tokens',
  'oauth_grants',
  'answered_questions',
  'fresh_logins',
  'emergency_codes',
  'visits',
  'admin_answers',
  'processes',
  // They went out after the backup was made.
  'notices',
];

/**
 * Ends what was under way when a backup was made: sessions, set-ups, sign-ins, passes, and codes of
 * operators, which may have been used since. Held logins and page sessions have ended, so that the next process that serves logs
 * them out. Device passwords stay: what was revoked since opens nothing, as its token is dead.
 */
export function endWhatWasUnderWay(): readonly Effect[] {
  return [
    ...UNDER_WAY.map((table) => effect(`DELETE FROM ${table}`)),
    effect('UPDATE passed_login_tokens SET ended = 1'),
    effect(
      bothDialects(
        ({ least }) =>
          `UPDATE holds SET expires_at = ${least}(expires_at, :now), claimant = NULL, claimed_until = 0, leased_until = 0`,
      ),
    ),
    endAllPageSessions(),
    freeEndedDevicePasswords(),
    freeOauthLogouts(),
    effect('UPDATE accounts SET version = version + 1'),
  ];
}

/** No code of a time step up to this one is accepted any more: it may have been, after the backup was made. */
export function spendStepsUpTo(step: number): Effect {
  return effect(`UPDATE authenticators SET last_step = :step WHERE kind = 'totp' AND last_step < :step`, {
    step,
  });
}

/** An authenticator with what seals it, for a look whether the keys are those of the database. */
export interface SealedAuthenticator {
  readonly id: string;
  readonly userId: string;
  readonly sealedSeed: Buffer;
}

export function findSealedAuthenticators(): Query<SealedAuthenticator> {
  return ask('SELECT id, user_id AS "userId", sealed_seed AS "sealedSeed" FROM authenticators');
}

/** The keys that recovery codes were hashed with. */
export function findPepperKeys(): Query<{ readonly keyId: string }> {
  return ask('SELECT DISTINCT pepper_key_id AS "keyId" FROM recovery_sets');
}

/** How many users have 2FA on. */
export function countEnrolled(): Query<{ readonly count: number }> {
  return ask('SELECT count(DISTINCT user_id) AS count FROM authenticators');
}
