import type { Audit } from '../audit/audit.ts';
import type { DevicePasswordEnds } from '../device_passwords/ends.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { Consequence, GuardedEndpoint } from '../http/routes.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { OwedWrites } from '../storage/owed_writes.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountVersion } from '../storage/tables/accounts.ts';
import { endProofsAndPages } from '../storage/tables/proofs.ts';
import { removeUser } from '../storage/tables/removed_users.ts';
import { HOUR, SECOND, storableMs } from '../system/clock.ts';

/** Homeservers give them minutes. */
const LONGEST_LIFE = HOUR;

/** What a passed request changes besides what the homeserver did. */
export class Consequences {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit'>;
      readonly passes: Passes;
      readonly devicePasswordEnds: DevicePasswordEnds;
      readonly oauthSessions: OAuthSessions;
      readonly audit: Audit;
      readonly owedWrites: OwedWrites;
    },
  ) {}

  /** What goes on record of a request that passed, in the unit that uses its proof up. */
  recorded(
    { route }: GuardedEndpoint,
    client: ClientAddress,
    { owner }: Caller,
    { devices }: JsonObject,
  ): readonly Write[] {
    return this.deps.audit.recorded({
      userId: owner.userId,
      event: 'guard.passed',
      client,
      deviceId: owner.deviceId,
      detail: { endpoint: route, ...(Array.isArray(devices) ? { devices: devices.length } : {}) },
    });
  }

  /**
   * Writes what follows from what the homeserver has done, in one unit with what `settle` commits for the user: now, or
   * where the store is away as soon as it is there again.
   * @param asked who asked for what, and the version of their account under which the factor was owed
   */
  follow<T>(
    consequence: Consequence,
    asked: AccountVersion & { readonly body: JsonObject },
    answer: HomeserverAnswer,
    settle: (also: readonly Write[]) => Promise<T>,
  ): Promise<T> {
    return this.deps.owedWrites.sure(async () => {
      const ends = await this.endsBy(consequence, asked);
      return settle(consequence === 'login_token_issued' ? [...ends, this.passOf(asked, answer)] : ends);
    });
  }

  /** The same for a user without 2FA, of whom nothing is settled. */
  async followWithoutFactor(consequence: Consequence, userId: string, body: JsonObject): Promise<void> {
    const { owedWrites, storage } = this.deps;
    await owedWrites.sure(async () => {
      const ends = await this.endsBy(consequence, { userId, body });
      if (ends.length > 0) await storage.commit([userId], ends);
    });
  }

  /**
   * What follows for every user: a password change ends held logins and sessions (R12), and with the other devices the
   * device passwords and OAuth sessions.
   */
  private async endsBy(
    consequence: Consequence,
    { userId, body }: { readonly userId: string; readonly body: JsonObject },
  ): Promise<readonly Write[]> {
    const { devicePasswordEnds, oauthSessions } = this.deps;
    switch (consequence) {
      case 'password_changed': {
        const proofs = endProofsAndPages(userId);
        if (body.logout_devices === false) return proofs;
        const { write } = await devicePasswordEnds.endingAll(userId, consequence);
        return [...proofs, write, await oauthSessions.endingAll(userId, consequence)];
      }
      case 'devices_removed':
        return oauthSessions.endingOn(userId, devicesIn(body));
      case 'account_deactivated':
        return [(await devicePasswordEnds.endingAll(userId, 'deactivated')).write, ...removeUser(userId)];
      default:
        return [];
    }
  }

  /** The token stands for the second factor of the user who asked for it, once (spec/guarded_endpoints.md). */
  private passOf(asked: AccountVersion, answer: HomeserverAnswer): Write {
    const token = answer.json?.login_token;
    const life = lifeMs(answer);
    if (typeof token !== 'string' || life === undefined) return [];
    return this.deps.passes.remembering(token, asked, Math.min(storableMs(life), LONGEST_LIFE));
  }
}

function devicesIn({ devices }: JsonObject): readonly string[] {
  return Array.isArray(devices) ? devices.filter((device) => typeof device === 'string') : [];
}

/** `expires_in_ms`, or `expires_in` in seconds under the unstable name (MSC3882). */
function lifeMs(answer: HomeserverAnswer): number | undefined {
  const { expires_in_ms: stable, expires_in: unstable } = answer.json ?? {};
  if (typeof stable === 'number') return stable;
  return typeof unstable === 'number' ? unstable * SECOND : undefined;
}
