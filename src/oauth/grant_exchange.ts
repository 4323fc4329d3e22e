import type { Audit } from '../audit/audit.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import { CLAIM_MS, type OAuthClaims, type OAuthGrantClaimed } from '../second_factor/oauth_claims.ts';
import { newRefreshToken } from '../second_factor/oauth_refresh.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { findGrant, type OauthGrant } from '../storage/tables/oauth_grants.ts';
import { endOauthSessionsOfDevice, keepOauthSession } from '../storage/tables/oauth_sessions.ts';
import { DAY, SECOND } from '../system/clock.ts';
import type { Pause } from '../system/pause.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import { invalidGrant, notNow } from './grant_errors.ts';
import type { GrantLogin, GrantLoginCall } from './grant_login.ts';
import type { IdTokens } from './id_token.ts';

/** A second use within this time is a client that asks twice, or whose answer was lost; later it is another's. */
const REPEAT_MS = 20 * SECOND;
/** Between two looks at a grant that another request has claimed. */
const LOOK_MS = 100;
/** Longer than a login takes, and shorter than clients wait. */
const LOOKS = 120;

export interface GrantExchangeDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly pause: Pause;
  readonly claims: OAuthClaims;
  readonly sessions: OAuthSessions;
  readonly login: GrantLogin;
  readonly beginning: OAuthBeginning;
}

/** Makes the session of an approved grant, for exactly one request: of a code, or of a device grant. */
export class GrantExchange {
  constructor(private readonly deps: GrantExchangeDeps) {}

  /**
   * @param found a grant of this client; whatever else its kind asks for has been judged
   * @throws OauthError invalid_grant, server_error, temporarily_unavailable
   * @throws Refusal limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear
   */
  async exchange(request: ClientRequest, found: OauthGrant): Promise<Answer> {
    if (found.state === 'used') return this.refuseUsed(request, found);
    const claimed = await this.deps.claims.claim(found);
    if (claimed === undefined) return this.afterAnother(request, found);
    try {
      return await this.logIn(request, claimed);
    } catch (error) {
      await this.leave(claimed);
      throw error;
    }
  }

  /**
   * Nothing was answered. The commit may have been done all the same, where the store was lost before it said so: no
   * client has the tokens of that session, and its login was ended like any that no client gets. So the session ends; its
   * code is used, and the app asks its user once more. To hand the tokens out when the store says that it was done would
   * need them to be kept for a client that may never ask.
   */
  private async leave(claimed: OAuthGrantClaimed): Promise<void> {
    const { claims, sessions } = this.deps;
    await claims.giveBack(claimed);
    const begun = await sessions.find(claimed.sessionId);
    if (begun?.endedAt === null) await sessions.end(begun, 'revoked');
  }

  /** Used by now, or in use: the request that has claimed it is waited for. */
  private async afterAnother(request: ClientRequest, { idHash }: OauthGrant): Promise<Answer> {
    for (let look = 0; look < LOOKS; look++) {
      const [found] = await this.deps.storage.read(findGrant(idHash));
      if (found?.state === 'used') return this.refuseUsed(request, found);
      const isInUse = found?.state === 'approved' && found.claimedUntil > found.now;
      if (!isInUse) throw invalidGrant();
      await this.deps.pause(LOOK_MS);
    }
    throw notNow(CLAIM_MS);
  }

  /** @throws OauthError */
  private async refuseUsed(
    { client }: ClientRequest,
    { usedAt, sessionId, now }: OauthGrant,
  ): Promise<never> {
    const { sessions } = this.deps;
    const isRepeat = usedAt === null || now - usedAt <= REPEAT_MS;
    const session = isRepeat || sessionId === null ? undefined : await sessions.find(sessionId);
    if (session?.endedAt === null && (await sessions.end(session, 'code_reused', { client }))) {
      await sessions.logOut(session);
    }
    throw invalidGrant();
  }

  private async logIn(request: ClientRequest, claimed: OAuthGrantClaimed): Promise<Answer> {
    const { userId, deviceId } = claimed.grant;
    const login = this.deps.claims.loginOf(claimed);
    const call: GrantLoginCall = { request, userId, deviceId, login };
    const grant = await this.deps.login.logIn(call);
    let answer: Answer | undefined;
    try {
      // A client that hung up would get nothing: the grant stays for its next try.
      request.signal.throwIfAborted();
      answer = await this.deps.beginning.begin(request, claimed, grant, login.hasFactor);
    } finally {
      if (answer === undefined) await this.deps.login.abandon(grant, call);
    }
    if (answer === undefined) throw invalidGrant();
    return answer;
  }
}

export interface OAuthBeginningDeps {
  readonly vault: Vault;
  readonly audit: Audit;
  readonly random: RandomSource;
  readonly idTokens: IdTokens;
  readonly exit: Exit;
}

/** Begins the session of a grant with the login that was made for it. */
export class OAuthBeginning {
  constructor(private readonly deps: OAuthBeginningDeps) {}

  /** Undefined if the grant was used, or what proved it was changed meanwhile. */
  async begin(
    { client }: ClientRequest,
    claimed: OAuthGrantClaimed,
    grant: Grant,
    hasFactor: boolean,
  ): Promise<Answer | undefined> {
    const { audit, exit, random, vault } = this.deps;
    const { grant: approved, sessionId } = claimed;
    const { userId, clientId, scope } = approved;
    const deviceId = grant.deviceId ?? approved.deviceId;
    const refreshToken = newRefreshToken(sessionId, randomId(random, 256));
    const rest = {
      ...{ token_type: 'Bearer', scope, refresh_token: refreshToken, ...lifeOf(grant) },
      ...(await this.idTokenOf(approved)),
    };
    const session = {
      ...{ sessionId, userId, deviceId, clientId, scope, accessHash: grant.tokenHash },
      refreshHash: hashToken(refreshToken),
      sealedTokens: grant.sealToken(vault, 'oauth-session', { id: sessionId, userId }),
    };
    const started = { userId, client, deviceId, detail: { client_id: clientId, second_factor: hasFactor } };
    const keep: Write[] = [
      // The homeserver has ended what stood on this device before.
      endOauthSessionsOfDevice(userId, deviceId, { because: 'device_replaced', logout: 'needless' }),
      keepOauthSession(session),
      audit.recorded({ ...started, event: 'oauth.session_started' }),
    ];
    client.record?.isOf(userId, deviceId);
    return exit.beginOAuth(grant, claimed, rest, keep);
  }

  /** For clients that ask for one: matrix-js-sdk up to 41.9 refuses an answer without it. */
  private async idTokenOf({
    clientId,
    userId,
    nonce,
    scope,
  }: OAuthGrantClaimed['grant']): Promise<JsonObject> {
    if (!scope.split(' ').includes('openid')) return {};
    return { id_token: await this.deps.idTokens.issue({ clientId, userId, nonce }) };
  }
}

/**
 * After how many seconds an app refreshes. matrix-js-sdk up to 41 refuses an answer that does not say so (`oidc/validate.js`):
 * a token that does not expire is asked about once a year.
 */
export function lifeOf({ expiresInMs }: Pick<Grant, 'expiresInMs'>, livedMs = 0): JsonObject {
  if (expiresInMs === undefined) return { expires_in: (365 * DAY) / SECOND };
  return { expires_in: Math.max(0, Math.floor((expiresInMs - livedMs) / SECOND)) };
}
