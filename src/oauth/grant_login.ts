import { waitMs } from '../homeserver/answer_fields.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, LOGIN_PATH, PASSWORD_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { OAuthLogin } from '../second_factor/oauth_login.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import { SECOND } from '../system/clock.ts';
import type { Pause } from '../system/pause.ts';
import { badGateway, invalidGrant } from './grant_errors.ts';

/** So long a login waits for a limit of the homeserver: clients give a token request 15 to 30 s. */
const LONGEST_WAIT_MS = 10 * SECOND;
/** A limit that names no time to speak of is not asked again at once, and not for long. */
const SHORTEST_WAIT_MS = 250;
const MOST_TRIES = 8;

export interface GrantLoginDeps {
  readonly ownLogin: OwnLogin;
  readonly upstream: UpstreamLogin;
  readonly pause: Pause;
  /** Whether the homeserver is asked for refresh tokens of its own. */
  readonly homeserverRefreshTokens: boolean;
}

/** A login for an approved grant. */
export interface GrantLoginCall {
  readonly request: ClientRequest;
  readonly userId: string;
  readonly deviceId: string;
  readonly login: OAuthLogin;
}

/** The one login of an approved grant, with the device of its scope: only now the homeserver hears of that (R5). */
export class GrantLogin {
  constructor(private readonly deps: GrantLoginDeps) {}

  /**
   * @throws OauthError invalid_grant if the homeserver refuses the login by now; server_error if it logs another user in
   * @throws Refusal limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear
   */
  async logIn(call: GrantLoginCall): Promise<Grant> {
    for (let waited = 0, tries = 1; ; tries += 1) {
      const outcome = await this.once(call);
      if (typeof outcome !== 'number') return this.requireOwner(call, outcome);
      const wait = Math.max(outcome, SHORTEST_WAIT_MS);
      if (tries === MOST_TRIES || waited + wait > LONGEST_WAIT_MS) {
        throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: wait });
      }
      await this.deps.pause(wait);
      call.request.signal.throwIfAborted();
      waited += wait;
    }
  }

  /** Ends a login that no client gets, but not the keys of a device that its user has already (R5). */
  abandon(grant: Grant, { request, deviceId }: GrantLoginCall): Promise<void> {
    return this.deps.upstream.abandon(grant, deviceId, request.client);
  }

  private async requireOwner(call: GrantLoginCall, grant: Grant): Promise<Grant> {
    if (grant.userId === call.userId) return grant;
    await this.deps.upstream.discard(grant);
    throw badGateway('The homeserver logged another user in.');
  }

  /** A login, or how long the homeserver wants to wait. */
  private async once({ request, userId, deviceId, login }: GrantLoginCall): Promise<Grant | number> {
    const wishes: JsonObject = {
      device_id: deviceId,
      ...(login.appName !== undefined && { initial_device_display_name: login.appName }),
      ...(this.deps.homeserverRefreshTokens && { refresh_token: true }),
    };
    try {
      const own = await this.deps.ownLogin.logIn({ request, userId, body: wishes });
      if (own !== undefined) return own;
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'limit_exceeded') return error.retryAfterMs ?? 0;
      throw error;
    }
    const outcome = await this.deps.upstream.logIn({
      // The query of this request is not for the homeserver's login.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body: { ...credentialOf(userId, login), ...wishes },
    });
    if (outcome.kind === 'granted') return outcome.grant;
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    return waitOf(outcome.answer);
  }
}

/** @throws Refusal, OauthError */
function waitOf(answer: HomeserverAnswer): number {
  if (answer.status === 429) return waitMs(answer);
  if (answer.status >= 500) throw new Refusal('homeserver_unreachable');
  throw invalidGrant();
}

/** @throws OauthError server_error where there is nothing to log in with: the registration is not taken any more */
function credentialOf(user: string, { password, loginToken }: OAuthLogin): JsonObject {
  if (password !== undefined) {
    return { type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user }, password };
  }
  if (loginToken !== undefined) return { type: TOKEN_LOGIN, token: loginToken };
  throw badGateway('This sign-in cannot be finished.');
}
