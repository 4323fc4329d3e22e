import type { Homeserver } from '../homeserver/homeserver.ts';
import { NOT_LOGGED_OUT, type OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type DueLogout,
  finishOauthLogout,
  leaseOauthLogouts,
  postponeOauthLogout,
} from '../storage/tables/oauth_sessions.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { LogoutSweep } from './logout_sweep.ts';

export interface OAuthSessionSweepDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly homeserver: Homeserver;
  readonly oauthSessions: Pick<OAuthSessions, 'grantOf'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Logs the logins of ended OAuth sessions out at the homeserver, until it has answered (R10). */
export function sweepOfOAuthSessions(
  deps: OAuthSessionSweepDeps,
): LogoutSweep<DueLogout & { readonly id: string }> {
  const { storage, homeserver, oauthSessions, clock, log } = deps;
  return new LogoutSweep(
    {
      lease: async (until, limit) => {
        const due = await storage.commit([], leaseOauthLogouts(until, limit));
        return due.map((session) => ({ ...session, id: session.sessionId }));
      },
      postpone: async (id, until) => {
        await storage.commit([], postponeOauthLogout(id, until));
      },
      logOut: async (ended) => {
        await oauthSessions.grantOf(ended).logOut(homeserver);
        await storage.commit([], finishOauthLogout(ended.id));
      },
    },
    { clock, log, notYet: NOT_LOGGED_OUT },
  );
}
