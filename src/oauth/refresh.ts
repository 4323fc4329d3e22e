import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import {
  newRefreshToken,
  refreshedBy,
  sessionIdIn,
  standingOfRefresh,
} from '../second_factor/oauth_refresh.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { Storage } from '../storage/storage.ts';
import { keepRenewedTokens } from '../storage/tables/oauth_renewals.ts';
import {
  giveBackOauthRefresh,
  leaseOauthRefresh,
  type OauthSession,
} from '../storage/tables/oauth_sessions.ts';
import { MINUTE } from '../system/clock.ts';
import type { Pause } from '../system/pause.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import { invalidGrant, notNow } from './grant_errors.ts';
import { lifeOf } from './grant_exchange.ts';
import { requireField } from './oauth_form.ts';

/** How long one request has the homeserver's refresh token to itself: longer than both of its questions may take. */
const LEASE_MS = 3 * MINUTE;
/** Between two looks at a refresh that another request is at. */
const LOOK_MS = 100;
const LOOKS = 100;

export interface OAuthRefreshDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly random: RandomSource;
  readonly pause: Pause;
  readonly sessions: OAuthSessions;
  readonly exit: Exit;
}

/**
 * `grant_type=refresh_token` (RFC 6749, section 6). What passes by itself is never `invalid_grant`: clients sign out at
 * that, and some of them at any 4xx.
 */
export class OAuthRefresh {
  constructor(private readonly deps: OAuthRefreshDeps) {}

  /** @throws OauthError invalid_request, invalid_grant, temporarily_unavailable; Refusal for what passes by itself */
  async handle(request: ClientRequest, form: Form): Promise<Answer> {
    const token = requireField(form, 'refresh_token');
    const clientId = requireField(form, 'client_id');
    const session = await this.find(token);
    // Another client's: nothing changes, or anyone could end a session by sending its token under another name.
    if (session === undefined || session.clientId !== clientId) throw invalidGrant();
    const standing = standingOfRefresh(session, token);
    switch (standing.is) {
      case 'current':
        return this.refresh(request, session, token);
      case 'repeated':
        return this.repeated(session, standing.proof);
      case 'stolen':
        return this.stolen(request, session);
    }
  }

  private async find(token: string): Promise<OauthSession | undefined> {
    const id = sessionIdIn(token);
    const session = id === undefined ? undefined : await this.deps.sessions.find(id);
    return session?.endedAt === null ? session : undefined;
  }

  private repeated(session: OauthSession, proof: Parameters<Exit['repeatOAuth']>[1]): Answer {
    const { exit, sessions } = this.deps;
    return exit.repeatOAuth(
      sessions.grantOf(session),
      proof,
      JSON.parse(sessions.openAnswer(session)) as JsonObject,
    );
  }

  /** Two clients have had the tokens of this session, and no one can tell which of them is its own: so it ends. */
  private async stolen({ client }: ClientRequest, session: OauthSession): Promise<never> {
    const { sessions } = this.deps;
    if (await sessions.end(session, 'refresh_reused', { client })) await sessions.logOut(session);
    throw invalidGrant();
  }

  private async refresh(request: ClientRequest, session: OauthSession, token: string): Promise<Answer> {
    const grant = this.deps.sessions.grantOf(session);
    return grant.hasRefreshToken
      ? this.renewAlone(request, session, token)
      : this.rotate(request, session, token, grant);
  }

  /** The homeserver's refresh token is good once: one request at a time brings it, and the others get its answer. */
  private async renewAlone(request: ClientRequest, session: OauthSession, token: string): Promise<Answer> {
    const { storage } = this.deps;
    const { sessionId, userId } = session;
    const presentedHash = hashToken(token);
    for (let look = 0; look < LOOKS; look++) {
      const taken = await storage.commit([userId], leaseOauthRefresh(sessionId, presentedHash, LEASE_MS));
      const now = await this.find(token);
      if (now === undefined) throw invalidGrant();
      try {
        const standing = standingOfRefresh(now, token);
        if (standing.is === 'repeated') return this.repeated(now, standing.proof);
        if (standing.is === 'stolen') break;
        if (taken !== undefined) return await this.renew(request, now, token);
      } finally {
        if (taken !== undefined) {
          await storage.commit([userId], giveBackOauthRefresh(sessionId, presentedHash));
        }
      }
      await this.deps.pause(LOOK_MS);
    }
    throw notNow();
  }

  private async renew(request: ClientRequest, session: OauthSession, token: string): Promise<Answer> {
    const { homeserver, sessions, storage, vault } = this.deps;
    const { sessionId: id, userId } = session;
    const renewing = sessions.grantOf(session).renew(homeserver, request.client);
    const renewed = await this.orEnd(request, session, renewing);
    // The homeserver's refresh token is dead, at the latest with the first use of the new ones: whatever fails from here on, the
    // next try begins with these.
    const sealed = renewed.sealToken(vault, 'oauth-session', { id, userId });
    await storage.commit([userId], keepRenewedTokens(id, hashToken(token), sealed));
    return this.rotate(request, session, token, renewed);
  }

  private async rotate(
    request: ClientRequest,
    session: OauthSession,
    token: string,
    grant: Grant,
  ): Promise<Answer> {
    const { exit, homeserver, random, sessions, vault } = this.deps;
    const { sessionId: id, userId, scope, now, createdAt } = session;
    const { client } = request;
    const asking = grant.askTokenOwner(homeserver, { client });
    const proof = refreshedBy(session, token, await this.orEnd(request, session, asking));
    if (proof === undefined) throw new Refusal('homeserver_unclear');
    const refreshToken = newRefreshToken(id, randomId(random, 256));
    // A token that the homeserver does not renew has lived since the session began.
    const life = lifeOf(grant, grant.hasRefreshToken ? 0 : now - createdAt);
    const rest = { token_type: 'Bearer', scope, refresh_token: refreshToken, ...life };
    const answer = await exit.refreshOAuth(grant, proof, rest, {
      accessHash: grant.tokenHash,
      nextHash: hashToken(refreshToken),
      sealedTokens: grant.sealToken(vault, 'oauth-session', { id, userId }),
      sealedAnswer: sessions.sealAnswer(session, rest),
    });
    client.record?.isOf(userId, session.deviceId);
    return answer ?? this.afterAnother(token);
  }

  /** Another request has taken this token's turn: its answer is this one's. */
  private async afterAnother(token: string): Promise<Answer> {
    const session = await this.find(token);
    if (session === undefined) throw invalidGrant();
    const standing = standingOfRefresh(session, token);
    if (standing.is === 'repeated') return this.repeated(session, standing.proof);
    // It was current when it came, so it is not stolen; its sender has got newer ones meanwhile.
    throw notNow();
  }

  /** The homeserver has ended the login: so has the session. @throws OauthError invalid_grant, Refusal */
  private async orEnd<T>({ client }: ClientRequest, session: OauthSession, asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // A locked account may be unlocked again.
      if (error.refusal === 'forbidden') throw notNow();
      if (error.refusal !== 'unknown_token') throw error;
      await this.deps.sessions.end(session, 'homeserver', { client });
      throw invalidGrant();
    }
  }
}
