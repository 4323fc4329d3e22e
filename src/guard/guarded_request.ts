import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { GuardedEndpoint } from '../http/routes.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { Witness } from '../policy/policies.ts';
import type { AppserviceTokens } from '../second_factor/appservices.ts';
import type { Caller, TokenOwners } from '../second_factor/caller.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Standings } from '../second_factor/standing.ts';
import { witnessBy } from '../second_factor/witness.ts';
import { requireTokenlessStage } from '../uia/allowed_stages.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { bodyWithoutFactor, withoutOurAuth } from './auth_without_factor.ts';
import type { Consequences } from './consequences.ts';
import { GuardedCall } from './guarded_call.ts';
import { withoutUnusableFlows } from './homeserver_challenge.ts';
import type { MissingEndpoints } from './missing_endpoints.ts';
import type { OAuthLimits } from './oauth_limits.ts';
import { OwnerSession, type OwnerSessionDeps } from './owner_session.ts';
import type { OwnedRequest } from './session_of_request.ts';
import type { KeyUploads } from './signing_keys.ts';

/** After these an owner may be told at other addresses than before. */
const CHANGE_ADDRESSES: readonly string[] = [
  'add_threepid',
  'add_threepid_legacy',
  'delete_threepid',
  'unbind_threepid',
] satisfies GuardedEndpoint['route'][];

export interface GuardedRequestDeps {
  readonly homeserver: Homeserver;
  readonly callers: {
    readonly tokenOwners: TokenOwners;
    readonly appservices: AppserviceTokens;
    readonly standings: Standings;
    readonly enrolment: OwedEnrolment;
  };
  readonly ownerSessions: OwnerSessionDeps;
  readonly keys: { readonly uploads: KeyUploads; readonly ofOAuth: OAuthLimits };
  readonly consequences: Consequences;
  readonly missing: MissingEndpoints;
  /** Whom notices go to: asked for before they change. */
  readonly addresses: Addresses;
}

/**
 * A request to an endpoint that the specification protects with User-Interactive Authentication (R6): for a caller
 * with 2FA the second factor comes first, then one request with the owner's pinned password; for all others the
 * request passes, rebuilt, as long as it names no other user.
 */
export class GuardedRequest {
  private readonly call: GuardedCall;

  constructor(
    private readonly deps: GuardedRequestDeps,
    private readonly endpoint: GuardedEndpoint,
    private readonly request: ClientRequest,
  ) {
    this.call = new GuardedCall(deps, endpoint, request);
  }

  /** @throws Refusal */
  async handle(): Promise<Answer> {
    const { endpoint, request } = this;
    const { callers, missing } = this.deps;
    const service = callers.appservices.serviceOf(request);
    if (service !== undefined) return this.relay(service.token);
    const body: JsonObject = requireShape(endpoint.shape, request.body ?? {});
    if (request.token.kind === 'none' && endpoint.tokenless === 'relayed') return this.relayTokenless(body);
    const caller = await callers.tokenOwners.require(request);
    if (CHANGE_ADDRESSES.includes(endpoint.route)) {
      await this.deps.addresses.beforeChange({
        userId: caller.owner.userId,
        token: caller.token,
        client: request.client,
      });
    }
    const standing = await callers.standings.of(caller.owner.userId, this.witness(caller));
    if (standing.is === 'owes_enrolment') throw callers.enrolment.owed(standing);
    const version = standing.is === 'owes_factor' ? standing.version : undefined;
    if (endpoint.signingKeys && (await this.deps.keys.ofOAuth.isOAuth(caller.token))) {
      return this.takeOAuthKeys(caller, body, version);
    }
    if (version === undefined) return this.relayWithoutFactor(caller, body);
    missing.requireKnown(request);
    if (endpoint.signingKeys) return this.takeKeys(caller, body, version);
    const page = await this.deps.ownerSessions.stepUps.pageOf(request, caller);
    const isSteppedUp = endpoint.stepUp && page?.steppedUpBy !== undefined && !page.onlyReplaces;
    return this.prove(
      { caller, body, page, requirement: isSteppedUp ? 'stepped_up' : 'two_factor' },
      version,
    );
  }

  private witness({ token, owner: { userId, isGuest } }: Caller): Witness {
    const { client } = this.request;
    const asked = { token, userId, client, isGuest, hasPassword: false, isSignIn: false };
    return witnessBy(this.deps.homeserver, asked);
  }

  /** An application service that the operator listed: as the homeserver says. */
  private async relay(token: string): Promise<Answer> {
    const body = this.request.body ?? {};
    const search = this.deps.callers.appservices.searchUpstream(this.request);
    return relayAnswer(await this.call.send(body, token, { search }), body);
  }

  /** A password reset by e-mail. Whose it was is not told, so holds of that user end with their time. */
  private async relayTokenless(body: JsonObject): Promise<Answer> {
    requireTokenlessStage(presentedAuth(body));
    requireShape(this.endpoint.shape, withoutAuth(body));
    return relayAnswer(await this.call.send(withoutOurAuth(body), undefined), body);
  }

  private async relayWithoutFactor({ token, owner }: Caller, body: JsonObject): Promise<Answer> {
    const sent = bodyWithoutFactor(body, owner.userId);
    requireShape(this.endpoint.shape, withoutAuth(body));
    const { consequence } = this.endpoint;
    const follow = () =>
      this.deps.consequences.followWithoutFactor(consequence, owner.userId, this.about(sent));
    // What follows from an answer follows, even where its client has gone.
    if (consequence !== undefined) this.call.follows(follow);
    const signal = consequence === undefined ? this.request.signal : undefined;
    const answer = await this.call.send(sent, token, { signal });
    if (answer.status === 200) await follow();
    return relayAnswer(withoutUnusableFlows(answer), body);
  }

  private async takeKeys(caller: Caller, body: JsonObject, version: number): Promise<Answer> {
    const outcome = await this.beginKeys(caller, body);
    return outcome.is === 'answer' ? outcome.answer : this.prove({ caller, ...outcome }, version);
  }

  private beginKeys(caller: Caller, body: JsonObject): ReturnType<KeyUploads['begin']> {
    const send = (keys: JsonObject) => this.call.send(keys, caller.token);
    return this.deps.keys.uploads.begin(caller, this.request, body, send);
  }

  /** The same for an OAuth client: all proofs are given on its page, also a moment after the sign-in. */
  private async takeOAuthKeys(
    caller: Caller,
    body: JsonObject,
    version: number | undefined,
  ): Promise<Answer> {
    const { ofOAuth } = this.deps.keys;
    const outcome = await this.beginKeys(caller, ofOAuth.bodyOf(body));
    if (outcome.is === 'answer') return outcome.answer;
    const requirement = version === undefined ? 'password' : 'two_factor';
    const asked = { caller, body: outcome.body, requirement, onPage: true } as const;
    return ofOAuth.challengeOf(await this.prove(asked, version ?? 0));
  }

  private async prove(
    asked: Pick<OwnedRequest, 'caller' | 'body' | 'requirement' | 'page' | 'onPage'>,
    version: number,
  ): Promise<Answer> {
    const { caller } = asked;
    // Without `auth` the shapes are strict: one server takes a missing list as all devices (attack 106).
    const requireSound = (about: JsonObject) => void requireShape(this.endpoint.shape, about);
    const first = await this.firstOf(caller);
    const owned: OwnedRequest = { ...asked, first, request: this.request, requireSound };
    const owner = new OwnerSession(this.deps.ownerSessions, owned);
    const step = await owner.advance();
    if (step.is === 'answer') return step.answer;
    const { userId } = caller.owner;
    const about = { userId, version, body: this.about(step.body) };
    // It is done: what follows from it follows, whether or not its session was ended meanwhile.
    const done = (answer: HomeserverAnswer) => {
      const record = this.deps.consequences.recorded(this.endpoint, this.request.client, caller, step.body);
      return this.deps.consequences.follow(this.endpoint.consequence, about, answer, (also) =>
        owner.settle(step, { is: 'accepted', answer }, [...record, ...also]),
      );
    };
    this.call.follows(done);
    try {
      const verdict = await this.call.judge(owned, owner, step);
      return await (verdict.is === 'accepted' ? done(verdict.answer) : owner.settle(step, verdict));
    } catch (error) {
      await owner.letGo(step, error);
      throw error;
    }
  }

  /** Where the homeserver asks for no proof it cannot lead an account without a password to its single sign-on. */
  private async firstOf({ token }: Caller): Promise<OwnedRequest['first']> {
    if (this.endpoint.judge !== 'probe') return undefined;
    return this.deps.ownerSessions.passwordSessions.firstOf(token, this.request);
  }

  /** What is changed: `DELETE /devices/{deviceId}` names its device in the path. */
  private about(body: JsonObject): JsonObject {
    const { deviceId } = this.request.params;
    return deviceId === undefined ? body : { devices: [deviceId] };
  }
}
