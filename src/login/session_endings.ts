import type { DevicePasswordEnds } from '../device_passwords/ends.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { AppserviceTokens } from '../second_factor/appservices.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { OwedWrites } from '../storage/owed_writes.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import type { SessionStore } from '../storage/tables/session_store.ts';
import { hashToken } from '../system/token_hash.ts';

export interface SessionEndingsDeps {
  readonly homeserver: Homeserver;
  readonly factors: FactorStore;
  readonly sessions: SessionStore;
  readonly appservices: AppserviceTokens;
  readonly devicePasswordEnds: DevicePasswordEnds;
  readonly oauthSessions: OAuthSessions;
  readonly owedWrites: OwedWrites;
}

/**
 * `POST /refresh`, `/logout` and `/logout/all`: for the homeserver, rebuilt (R2). What is bound to a token that ends,
 * ends with it.
 */
export class SessionEndings {
  constructor(private readonly deps: SessionEndingsDeps) {}

  /** A refresh token belongs to a session that was let in: nothing to judge. It goes without an access token. */
  refresh(request: ClientRequest): Promise<Answer> {
    return this.relay(request, undefined);
  }

  /** Ends the sessions that are bound to this token, and the device password or OAuth session whose login it is. */
  async logout(request: ClientRequest): Promise<Answer> {
    const caller = (await this.deps.factors.anyoneEnrolled()) ? await this.caller(request) : undefined;
    const token = tokenOf(request);
    const answer = await this.relay(request, token);
    if (answer.status === 200 && token !== undefined) {
      await this.deps.devicePasswordEnds.endOfToken(token);
      await this.deps.oauthSessions.endOfToken(token);
    }
    if (answer.status === 200 && caller !== undefined) {
      await this.deps.sessions.endOfToken(caller.owner.userId, hashToken(caller.token));
    }
    return answer;
  }

  /** Ends all that the user has proven or begun (R12), their device passwords and OAuth sessions, whether 2FA is on or off. */
  async logoutAll(request: ClientRequest): Promise<Answer> {
    const { devicePasswordEnds, factors, oauthSessions } = this.deps;
    const isSomethingThere =
      (await factors.anyoneEnrolled()) ||
      (await devicePasswordEnds.areThere()) ||
      (await oauthSessions.areThere());
    const caller = isSomethingThere ? await this.caller(request) : undefined;
    const answer = await this.relay(request, tokenOf(request));
    if (answer.status === 200 && caller !== undefined) await this.endAll(caller.owner.userId);
    return answer;
  }

  private endAll(userId: string): Promise<void> {
    const { devicePasswordEnds, factors, oauthSessions, owedWrites } = this.deps;
    return owedWrites.sure(async () => {
      const { write } = await devicePasswordEnds.endingAll(userId, 'logged_out_everywhere');
      await factors.endProofs(userId, [write, await oauthSessions.endingAll(userId, 'logout_all')]);
    });
  }

  /**
   * Whose token it is, before it is gone; asked only where there may be something to end here. Undefined for a request
   * without one, for a token that is expired: Synapse still logs it out (docs/homeservers.md), and for an account
   * that is locked: it may do nothing else (client-server API, "Account locking").
   */
  private async caller(request: ClientRequest): Promise<Caller | undefined> {
    const token = tokenOf(request);
    if (token === undefined) return undefined;
    try {
      return { token, owner: await this.deps.homeserver.whoami(token, request, 'essential') };
    } catch (error) {
      const mayStillLogOut =
        error instanceof Refusal && (error.refusal === 'unknown_token' || error.refusal === 'forbidden');
      if (mayStillLogOut) return undefined;
      throw error;
    }
  }

  private async relay(request: ClientRequest, token: string | undefined): Promise<Answer> {
    const body = request.body ?? {};
    const answer = await this.deps.homeserver.call({
      method: 'POST',
      path: request.path + this.deps.appservices.searchUpstream(request),
      body,
      client: request.client,
      errand: 'essential',
      ...(token === undefined ? {} : { token }),
    });
    return relayAnswer(answer, body);
  }
}

/** @throws Refusal unknown_token if there is not exactly one well-formed token */
function tokenOf(request: ClientRequest): string | undefined {
  if (request.token.kind === 'malformed') throw new Refusal('unknown_token');
  return request.token.kind === 'token' ? request.token.token : undefined;
}
