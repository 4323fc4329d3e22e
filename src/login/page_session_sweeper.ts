import type { Homeserver } from '../homeserver/homeserver.ts';
import { openToken } from '../second_factor/grant.ts';
import type { Storage } from '../storage/storage.ts';
import {
  dropPageSession,
  type EndedPageSession,
  leaseEndedPageSessions,
  leasePageSessionUntil,
} from '../storage/tables/page_sessions.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Vault } from '../vault/vault.ts';
import { LogoutSweep } from './logout_sweep.ts';

export interface PageSessionSweepDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly clock: Clock;
  readonly log: Log;
}

/** Logs ended sessions of the account page out at the homeserver (R10): a browser that was killed leaves nothing. */
export function sweepOfPageSessions(deps: PageSessionSweepDeps): LogoutSweep<EndedPageSession> {
  const { storage, vault, homeserver, clock, log } = deps;
  return new LogoutSweep(
    {
      lease: (until, limit) => storage.commit([], leaseEndedPageSessions(until, limit)),
      postpone: async (id, until) => {
        await storage.commit([], leasePageSessionUntil(id, until));
      },
      logOut: async (session) => {
        await openToken(vault, 'page-session', session).logOut(homeserver);
        await storage.commit([], dropPageSession(session.id));
      },
    },
    { clock, log, notYet: 'a page session could not be logged out yet' },
  );
}
