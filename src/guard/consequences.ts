import type { Audit } from '../audit/audit.ts';
import type { DevicePasswordEnds } from '../device_passwords/ends.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { Consequence, GuardedEndpoint } from '../http/routes.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountVersion } from '../storage/tables/accounts.ts';
import { removeUser } from '../storage/tables/removed_users.ts';
import { HOUR, SECOND, storableMs } from '../system/clock.ts';

/** Homeservers give them minutes. */
const LONGEST_LIFE = HOUR;

/** What a passed request changes besides what the homeserver did. */
export class Consequences {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit' | 'factors'>;
      readonly passes: Passes;
      readonly devicePasswordEnds: DevicePasswordEnds;
      readonly oauthSessions: OAuthSessions;
      readonly audit: Audit;
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

  /** @param asked who asked for what, and the version of their account under which the factor was owed */
  async of(
    consequence: Consequence,
    { body, ...asked }: AccountVersion & { readonly body: JsonObject },
    answer: HomeserverAnswer,
  ): Promise<void> {
    await this.withoutFactor(consequence, asked.userId, body);
    if (consequence === 'login_token_issued') await this.rememberLoginToken(asked, answer);
  }

  /**
   * What follows for every user: a password change ends held logins and sessions (R12), and with the other devices the
   * device passwords and OAuth sessions.
   */
  async withoutFactor(consequence: Consequence, userId: string, body: JsonObject): Promise<void> {
    if (consequence === 'password_changed') {
      await this.deps.storage.factors.endProofs(userId);
      if (body.logout_devices !== false) {
        await this.deps.devicePasswordEnds.endAll(userId, 'password_changed');
        await this.deps.oauthSessions.endAll(userId, 'password_changed');
      }
    }
    if (consequence === 'devices_removed') await this.deps.oauthSessions.endOn(userId, devicesIn(body));
    if (consequence === 'account_deactivated') {
      await this.deps.devicePasswordEnds.endAll(userId, 'deactivated');
      await this.deps.storage.commit([userId], removeUser(userId));
    }
  }

  /** The token stands for the second factor of the user who asked for it, once (spec/guarded_endpoints.md). */
  private async rememberLoginToken(asked: AccountVersion, answer: HomeserverAnswer): Promise<void> {
    const token = answer.json?.login_token;
    const life = lifeMs(answer);
    if (typeof token !== 'string' || life === undefined) return;
    await this.deps.passes.remember(token, asked, Math.min(storableMs(life), LONGEST_LIFE));
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
