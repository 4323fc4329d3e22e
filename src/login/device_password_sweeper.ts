import type { Homeserver } from '../homeserver/homeserver.ts';
import { openToken } from '../second_factor/grant.ts';
import type { Storage } from '../storage/storage.ts';
import {
  dropDevicePassword,
  type EndedDevicePassword,
  leaseDevicePasswordUntil,
  leaseEndedDevicePasswords,
} from '../storage/tables/device_passwords.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Vault } from '../vault/vault.ts';
import { LogoutSweep } from './logout_sweep.ts';

export interface DevicePasswordSweepDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly clock: Clock;
  readonly log: Log;
}

/** Logs the logins of ended device passwords out at the homeserver, until it has answered (R10). */
export function sweepOfDevicePasswords(deps: DevicePasswordSweepDeps): LogoutSweep<EndedDevicePassword> {
  const { storage, vault, homeserver, clock, log } = deps;
  return new LogoutSweep(
    {
      lease: (until, limit) => storage.commit([], leaseEndedDevicePasswords(until, limit)),
      postpone: async (id, until) => {
        await storage.commit([], leaseDevicePasswordUntil(id, until));
      },
      logOut: async (ended) => {
        await openToken(vault, 'device-password', ended).logOut(homeserver);
        await storage.commit([], dropDevicePassword(ended.id));
      },
    },
    { clock, log, notYet: 'the login of a device password could not be logged out yet' },
  );
}
