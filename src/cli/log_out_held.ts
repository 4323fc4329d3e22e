import type { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { sweepOfDevicePasswords } from '../login/device_password_sweeper.ts';
import { HoldSweeper } from '../login/hold_sweeper.ts';
import { sweepOfPageSessions } from '../login/page_session_sweeper.ts';
import { HeldLogins } from '../second_factor/held_logins.ts';
import type { Storage } from '../storage/storage.ts';
import { type Log, silentLog } from '../system/log.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Prepares to log out at the homeserver, once, the held logins, page sessions and device passwords that have ended. What it
 * does not take then stays for a running `serve`, which tries again (R10).
 *
 * @returns does it; answers how many held logins are gone
 * @throws KeyFileError before anything was done
 */
export async function preparedSweep(
  config: Config,
  { storage, audit }: { readonly storage: Storage; readonly audit: Audit },
  { clock, random, err }: Surroundings,
): Promise<() => Promise<number>> {
  const log: Log = { ...silentLog, warn: (_fields, text) => err(`note: ${text}; serve goes on trying`) };
  const vault = new SealingVault(await readKeys(config.keys.source), random);
  // Logins are only opened here, none is held: the limit on their number does not matter.
  const settings = {
    holdTtlMs: config.login.holdTtlMs,
    maximum: Number.MAX_SAFE_INTEGER,
    allowance: config.limits.signInPerUser,
  };
  const holds = new HeldLogins({ storage, vault, clock, random }, settings);
  return async () => {
    const homeserver = new HomeserverClient({ url: config.homeserver.url, random, log });
    try {
      const [gone] = await Promise.all([
        new HoldSweeper({ storage, holds, homeserver, audit, clock, log }).sweep(),
        sweepOfPageSessions({ storage, vault, homeserver, clock, log }).sweep(),
        sweepOfDevicePasswords({ storage, vault, homeserver, clock, log }).sweep(),
      ]);
      return gone;
    } finally {
      await homeserver.close();
    }
  };
}
