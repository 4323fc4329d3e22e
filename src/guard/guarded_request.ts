import type { Audit } from '../audit/audit.ts';
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
import type { FreshLogins } from '../second_factor/fresh_logins.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { OwesFactor, Standings } from '../second_factor/standing.ts';
import { witnessBy } from '../second_factor/witness.ts';
import type { Write } from '../storage/statement.ts';
import { requireTokenlessStage } from '../uia/allowed_stages.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { bodyWithoutFactor, withoutOurAuth } from './auth_without_factor.ts';
import type { Consequences } from './consequences.ts';
import { readChallenge, withoutUnusableFlows } from './homeserver_challenge.ts';
import type { MissingEndpoints } from './missing_endpoints.ts';
import { OwnerSession, type OwnerSessionDeps } from './owner_session.ts';
import { isPassword } from './password_probe.ts';
import type { Pending } from './pending.ts';
import type { OwnedRequest } from './session_of_request.ts';
import { KeyUpload } from './signing_keys.ts';
import { readVerdict, unrelated, type Verdict, verdictIn } from './verdict.ts';

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
  readonly freshLogins: FreshLogins;
  readonly consequences: Consequences;
  readonly missing: MissingEndpoints;
  readonly audit: Audit;
  /** Whom notices go to: asked for before they change. */
  readonly addresses: Addresses;
}

/**
 * A request to an endpoint that the specification protects with User-Interactive Authentication (R6): for a caller
 * with 2FA the second factor comes first, then one request with the owner's pinned password; for all others the
 * request passes, rebuilt, as long as it names no other user.
 */
export class GuardedRequest {
  constructor(
    private readonly deps: GuardedRequestDeps,
    private readonly endpoint: GuardedEndpoint,
    private readonly request: ClientRequest,
  ) {}

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
    if (standing.is !== 'owes_factor') return this.relayWithoutFactor(caller, body);
    missing.requireKnown(request);
    if (endpoint.signingKeys) return this.takeKeys(caller, body, standing);
    const page = await this.deps.ownerSessions.stepUps.pageOf(request, caller);
    const isSteppedUp = endpoint.stepUp && page?.steppedUpBy !== undefined && !page.onlyReplaces;
    return this.prove(
      { caller, body, page, requirement: isSteppedUp ? 'stepped_up' : 'two_factor' },
      standing,
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
    return relayAnswer(await this.callHomeserver(body, token, { search }), body);
  }

  /** A password reset by e-mail. Whose it was is not told, so holds of that user end with their time. */
  private async relayTokenless(body: JsonObject): Promise<Answer> {
    requireTokenlessStage(presentedAuth(body));
    requireShape(this.endpoint.shape, withoutAuth(body));
    return relayAnswer(await this.callHomeserver(withoutOurAuth(body), undefined), body);
  }

  private async relayWithoutFactor({ token, owner }: Caller, body: JsonObject): Promise<Answer> {
    const sent = bodyWithoutFactor(body, owner.userId);
    requireShape(this.endpoint.shape, withoutAuth(body));
    const { consequence } = this.endpoint;
    // What follows from an answer follows, even where its client has gone.
    const signal = consequence === undefined ? this.request.signal : undefined;
    const answer = await this.callHomeserver(sent, token, { signal });
    if (answer.status === 200) await this.deps.consequences.withoutFactor(consequence, owner.userId, sent);
    return relayAnswer(withoutUnusableFlows(answer), body);
  }

  private async takeKeys(caller: Caller, body: JsonObject, standing: OwesFactor): Promise<Answer> {
    const { homeserver, freshLogins, ownerSessions } = this.deps;
    const upload = new KeyUpload(
      { homeserver, freshLogins, presented: ownerSessions.codes.presented },
      caller,
    );
    const outcome = await upload.begin(this.request, body, (keys) => this.callHomeserver(keys, caller.token));
    return outcome.is === 'answer' ? outcome.answer : this.prove({ caller, ...outcome }, standing);
  }

  private async prove(
    asked: Pick<OwnedRequest, 'caller' | 'body' | 'requirement' | 'page'>,
    standing: OwesFactor,
  ): Promise<Answer> {
    const { caller } = asked;
    // Without `auth` the shapes are strict: one server takes a missing list as all devices (attack 106).
    const requireSound = (about: JsonObject) => void requireShape(this.endpoint.shape, about);
    const owned: OwnedRequest = { ...asked, request: this.request, requireSound };
    const owner = new OwnerSession(this.deps.ownerSessions, owned);
    const step = await owner.advance();
    if (step.is === 'answer') return step.answer;
    try {
      const verdict = await this.judge(owned, owner, step);
      if (verdict.is !== 'accepted') return await owner.settle(step, verdict);
      // It is done: what follows from it follows, whether or not its session was ended meanwhile.
      const answer = await owner.settle(step, verdict, this.recorded(caller, step.body));
      const { userId } = caller.owner;
      const asked = { userId, ...standing, body: step.body };
      await this.deps.consequences.of(this.endpoint.consequence, asked, verdict.answer);
      return answer;
    } catch (error) {
      await owner.letGo(step, error);
      throw error;
    }
  }

  private async judge(owned: OwnedRequest, owner: OwnerSession, pending: Pending): Promise<Verdict> {
    const isProbed = this.endpoint.judge === 'probe' && pending.onward === undefined;
    if (isProbed) return this.sendAfterProbe(owned, pending);
    const verdict = await this.sendWithProof(owned, pending);
    // Where a code was cut off the field, the whole may be the password.
    const other = verdict.is === 'wrong_password' ? owner.otherReading(pending) : undefined;
    return other === undefined ? verdict : this.sendWithProof(owned, other);
  }

  /** ONE request: the real body with a one-shot `auth` pinned to the token's owner (R6). */
  private async sendWithProof(owned: OwnedRequest, pending: Pending): Promise<Verdict> {
    const sent = { ...pending.body, auth: pending.auth };
    const answer = await this.callHomeserver(sent, owned.caller.token);
    const verdict = readVerdict(answer, sent, pending, owned.requirement === 'fresh_sign_in');
    return verdict.is === 'unclear' ? this.tellApart(owned, pending, answer, sent) : verdict;
  }

  /** The answer may be about the password, or not: a probe tells which it is. */
  private async tellApart(
    { caller, request, requirement }: OwnedRequest,
    pending: Pending,
    answer: HomeserverAnswer,
    sent: JsonObject,
  ): Promise<Verdict> {
    const { token, owner } = caller;
    const { password, body } = pending;
    const { verdict } = await this.deps.homeserver.judgePassword({
      token,
      userId: owner.userId,
      password,
      client: request.client,
    });
    if (verdict === 'wrong') return { is: 'wrong_password' };
    if (verdict !== 'no_password') return unrelated(answer, sent);
    const challenge = readChallenge(await this.callHomeserver(body, token), body);
    return challenge === undefined
      ? unrelated(answer, sent)
      : verdictIn(challenge, pending, requirement === 'fresh_sign_in');
  }

  private async sendAfterProbe(owned: OwnedRequest, pending: Pending): Promise<Verdict> {
    const { body, password } = pending;
    const isRight = await isPassword(this.deps.homeserver, owned, password);
    if (!isRight) return { is: 'wrong_password' };
    const answer = await this.callHomeserver(body, owned.caller.token);
    // A homeserver that asks for a proof here after all gets it.
    if (readChallenge(answer, body) !== undefined) return this.sendWithProof(owned, pending);
    return answer.status < 300 ? { is: 'accepted', answer } : unrelated(answer, body);
  }

  private recorded({ owner }: Caller, { devices }: JsonObject): readonly Write[] {
    return this.deps.audit.recorded({
      userId: owner.userId,
      event: 'guard.passed',
      client: this.request.client,
      deviceId: owner.deviceId,
      detail: {
        endpoint: this.endpoint.route,
        ...(Array.isArray(devices) ? { devices: devices.length } : {}),
      },
    });
  }

  private async callHomeserver(
    body: JsonObject,
    token: string | undefined,
    { search = this.request.search, signal }: { search?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<HomeserverAnswer> {
    const { method, path, client } = this.request;
    const answer = await this.deps.homeserver.call({
      method,
      path: path + search,
      body,
      client,
      signal,
      ...(token === undefined ? {} : { token }),
    });
    this.deps.missing.learnFrom(answer, this.request);
    return answer;
  }
}
