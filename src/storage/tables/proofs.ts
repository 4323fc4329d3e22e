import { type Effect, effect } from '../statement.ts';
import { growVersion } from './accounts.ts';
import { endFreshLogins } from './fresh_logins.ts';
import { endHoldsOfUser } from './holds.ts';
import { endPassedTokens } from './passed_login_tokens.ts';
import { dropSetups } from './setups.ts';

/**
 * What was proven under other factors or another password counts no more. The session that makes the change is
 * over by then: it ended when its request was carried out.
 */
export function endProofs(userId: string): readonly Effect[] {
  return [effect('DELETE FROM sessions WHERE user_id = :userId', { userId }), ...endAllButSessions(userId)];
}

/**
 * The same after authenticators were removed. Where none is left, the session of a client's sign-in stays until its
 * time is over: it opens nothing without its hold, and a client that comes with it is told to sign in again (attack
 * 39). A page says so for any session that is gone.
 */
export function endProofsAfterRemoval(userId: string): readonly Effect[] {
  const sessions = effect(
    `DELETE FROM sessions WHERE user_id = :userId AND (
       hold_id IS NULL
       OR pot <> 'login'
       OR hold_id NOT IN (SELECT id FROM holds WHERE user_id = :userId AND expires_at > :now)
       OR EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId))`,
    { userId },
  );
  return [sessions, ...endAllButSessions(userId)];
}

function endAllButSessions(userId: string): readonly Effect[] {
  return [
    growVersion(userId),
    endHoldsOfUser(userId),
    endPassedTokens(userId),
    endFreshLogins(userId),
    dropSetups(userId),
  ];
}
