import { type Effect, effect } from '../statement.ts';
import { growVersion } from './accounts.ts';
import { endFreshLogins } from './fresh_logins.ts';
import { endHoldsOfUser, endOtherHoldsOfUser } from './holds.ts';
import { endGrantsOf } from './oauth_grants.ts';
import { endPageSessionsOf } from './page_sessions.ts';
import { endPassedTokens } from './passed_login_tokens.ts';
import { dropSetups } from './setups.ts';
import { forgetSignInTokensOfHold } from './sign_in_tokens.ts';

/**
 * What was proven under other factors or another password counts no more. The session that makes the change is
 * over by then: it ended when its request was carried out.
 */
export function endProofs(userId: string): readonly Effect[] {
  return [effect('DELETE FROM sessions WHERE user_id = :userId', { userId }), ...endAllButSessions(userId)];
}

/** The same, and page sessions end: a user has changed their password, or signed out everywhere. */
export function endProofsAndPages(userId: string): readonly Effect[] {
  return [...endProofs(userId), endPageSessionsOf(userId)];
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

/** The one sign-in that stays. */
export interface KeptSignIn {
  readonly idHash: string;
  readonly holdId: string | null;
}

/**
 * The same where a user set their first factor up during a sign-in: that session and its held login stay. A login token
 * that was given for the held login before says that no factor was asked for, and ends.
 */
export function endOtherProofs(userId: string, { idHash, holdId }: KeptSignIn): readonly Effect[] {
  const sessions = effect('DELETE FROM sessions WHERE user_id = :userId AND id_hash <> :idHash', {
    userId,
    idHash,
  });
  const tokens = holdId === null ? [] : [forgetSignInTokensOfHold(holdId)];
  return [sessions, endOtherHoldsOfUser(userId, holdId), ...tokens, ...endAllButSignIns(userId)];
}

function endAllButSessions(userId: string): readonly Effect[] {
  return [endHoldsOfUser(userId), ...endAllButSignIns(userId)];
}

function endAllButSignIns(userId: string): readonly Effect[] {
  return [
    growVersion(userId),
    endPassedTokens(userId),
    endFreshLogins(userId),
    endGrantsOf(userId),
    dropSetups(userId),
  ];
}
