import type { Audit } from '../audit/audit.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { GuardedEndpoint } from '../http/routes.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { AppserviceTokens } from '../second_factor/appservices.ts';
import type { FreshLogins } from '../second_factor/fresh_logins.ts';
import type {
  AwaitingJudge,
  OwnedRequest,
  OwnerAuthentication,
  Requirement,
} from '../second_factor/owner_authentication.ts';
import type { PasswordProbe } from '../second_factor/password_probe.ts';
import type { PresentedCodes } from '../second_factor/presented.ts';
import type { SecondFactors } from '../second_factor/second_factors.ts';
import type { KnownCaller, TokenOwners } from '../second_factor/token_owner.ts';
import { requireTokenlessStage } from '../uia/allowed_stages.ts';
import { isEmptyBody } from '../uia/canonical_body.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { bodyWithoutFactor } from './auth_without_factor.ts';
import type { Consequences } from './consequences.ts';
import {
  type HomeserverChallenge,
  onwardFrom,
  progressOf,
  readChallenge,
  wantsPassword,
  withoutUnusableFlows,
} from './homeserver_challenge.ts';
import type { MissingEndpoints } from './missing_endpoints.ts';
import { needsNoProof } from './signing_keys.ts';
import { withoutOurAuth } from './without_our_auth.ts';

export interface GuardParts {
  readonly homeserver: Homeserver;
  readonly secondFactors: SecondFactors;
  readonly presented: PresentedCodes;
  readonly tokenOwners: TokenOwners;
  readonly owners: OwnerAuthentication;
  readonly passwordProbe: PasswordProbe;
  readonly freshLogins: FreshLogins;
  readonly appservices: AppserviceTokens;
  readonly consequences: Consequences;
  readonly missing: MissingEndpoints;
  readonly audit: Audit;
}

/**
 * The guard on endpoints that the specification protects with User-Interactive Authentication (R6): for a
 * caller with 2FA the second factor comes first, then one request with the owner's pinned password; for all
 * others the request passes, rebuilt, as long as it names nobody else.
 */
export class Guard {
  constructor(private readonly parts: GuardParts) {}

  /** @throws Refusal */
  async handle(endpoint: GuardedEndpoint, request: ClientRequest): Promise<Answer> {
    const { appservices } = this.parts;
    const service = appservices.serviceOf(request);
    if (service !== undefined)
      return this.relay({ ...request, search: appservices.searchUpstream(request) }, service.token);
    const body: JsonObject = requireShape(endpoint.shape, request.body ?? {});
    if (request.token.kind === 'none' && endpoint.tokenless === 'relayed') {
      return this.relayTokenless(endpoint, request, body);
    }
    const caller = await this.parts.tokenOwners.require(request);
    if (!(await this.parts.secondFactors.isEnrolled(caller.owner.userId))) {
      return this.relayWithoutFactor(endpoint, request, body, caller);
    }
    this.parts.missing.requireKnown(request);
    if (endpoint.signingKeys) return this.guardSigningKeys(endpoint, request, body, caller);
    return this.prove(endpoint, this.owned(endpoint, request, caller, body, 'two_factor'));
  }

  /** A password reset by e-mail. Whose it was is not told, so holds of that user end with their time. */
  private async relayTokenless(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    body: JsonObject,
  ): Promise<Answer> {
    requireTokenlessStage(presentedAuth(body));
    requireShape(endpoint.shape, withoutAuth(body));
    return relayAnswer(await this.callHomeserver(request, withoutOurAuth(body), undefined), body);
  }

  private async relayWithoutFactor(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    body: JsonObject,
    caller: KnownCaller,
  ): Promise<Answer> {
    const sent = bodyWithoutFactor(body, caller.owner.userId);
    requireShape(endpoint.shape, withoutAuth(body));
    const { consequence } = endpoint;
    // What follows from an answer follows, even where its client has gone.
    const signal = consequence === undefined ? request.signal : undefined;
    const answer = await this.callHomeserver(request, sent, caller.token, signal);
    if (answer.status === 200 && consequence === 'password_changed') {
      await this.parts.consequences.of(consequence, caller.owner.userId, answer);
    }
    return relayAnswer(withoutUnusableFlows(answer), body);
  }

  /** An application service that the operator listed: as the homeserver says. */
  private async relay(request: ClientRequest, token: string): Promise<Answer> {
    const body = request.body ?? {};
    return relayAnswer(await this.callHomeserver(request, body, token), body);
  }

  /**
   * Cross-signing keys (DESIGN §4): the existing keys are looked at before `auth` is, as the first upload may
   * carry the login's spent code.
   */
  private async guardSigningKeys(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    body: JsonObject,
    caller: KnownCaller,
  ): Promise<Answer> {
    const { token, owner } = caller;
    const keys = withoutAuth(body);
    // `auth` alone goes on with keys that came before.
    if (isEmptyBody(keys) && presentedAuth(body) !== undefined) {
      return this.proveForKeys(endpoint, request, body, caller);
    }
    const published = await this.parts.homeserver.publishedKeys(token, owner.userId, request);
    if (needsNoProof(keys, published)) {
      const answer = await this.callHomeserver(request, keys, token);
      // One server asks all the same (HOMESERVERS §1, point 15): its challenge is never relayed.
      if (answer.status !== 401) return relayAnswer(answer, keys);
    }
    return this.proveForKeys(endpoint, request, body, caller);
  }

  /** A sign-in with a second factor a moment ago counts for the keys, too. */
  private async proveForKeys(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    body: JsonObject,
    caller: KnownCaller,
  ): Promise<Answer> {
    const isFresh = await this.parts.freshLogins.isFresh(caller.token, caller.owner.userId);
    const requirement = isFresh ? 'fresh_sign_in' : 'two_factor';
    const readable = await this.withoutSpentCode(body, caller);
    return this.prove(endpoint, this.owned(endpoint, request, caller, readable, requirement));
  }

  private owned(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    caller: KnownCaller,
    body: JsonObject,
    requirement: Requirement,
  ): OwnedRequest {
    return {
      request,
      ...caller,
      body,
      requirement,
      // Without `auth` the shapes are strict: one server takes a missing list as all devices (attack 106).
      requireSound: (about) => void requireShape(endpoint.shape, about),
    };
  }

  /** A login's own password field with its spent code is good for the login's first key upload. */
  private async withoutSpentCode(body: JsonObject, { token, owner }: KnownCaller): Promise<JsonObject> {
    const auth = presentedAuth(body);
    const field = auth?.fields.password;
    if (auth?.type !== PASSWORD_STAGE || typeof field !== 'string') return body;
    if (!(await this.parts.freshLogins.isLoginPassword(token, owner.userId, field))) return body;
    const password = this.parts.presented.inPassword(field)?.password ?? field;
    return { ...body, auth: { ...auth.fields, password } };
  }

  private async prove(endpoint: GuardedEndpoint, owned: OwnedRequest): Promise<Answer> {
    const { owners } = this.parts;
    const step = await owners.step(owned);
    if (step.kind === 'answer') return step.answer;
    const judge = () =>
      endpoint.judge === 'request' || step.onward !== undefined
        ? this.sendWithProof(endpoint, owned, step)
        : this.sendAfterProbe(endpoint, owned, step);
    const judged = await owners.inTurn(owned, step, judge, ({ status }) => status < 300);
    return judged ?? owners.standing(step.session);
  }

  /** ONE request: the real body with a one-shot `auth` pinned to the token's owner (R6). */
  private async sendWithProof(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
  ): Promise<Answer> {
    const sent = { ...awaiting.body, auth: awaiting.auth };
    const answer = await this.callHomeserver(owned.request, sent, owned.token);
    if (answer.status < 300) return this.complete(endpoint, owned, awaiting, answer);
    const challenge = readChallenge(answer, sent);
    if (challenge !== undefined) return this.meet(challenge, endpoint, owned, awaiting);
    if (awaiting.onward === undefined && mayMeanThePassword(answer)) {
      return this.tellRefusalApart(endpoint, owned, awaiting, answer, sent);
    }
    // Not every homeserver knows a session alone; to ours it is a question that always has an answer.
    if (awaiting.onward !== undefined && awaiting.auth.type === undefined && answer.status < 429) {
      return this.parts.owners.standing(awaiting.session);
    }
    return refuse(answer, sent);
  }

  /** The homeserver is not content yet: with the password, or with what it has been given so far. */
  private async meet(
    challenge: HomeserverChallenge,
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
  ): Promise<Answer> {
    const { owners } = this.parts;
    const { onward, session } = awaiting;
    if (onward !== undefined) {
      const progress = progressOf(onward, challenge);
      return challenge.failure === undefined
        ? owners.leadOn(awaiting, progress)
        : owners.onwardRefused(awaiting, progress, challenge.failure);
    }
    if (challenge.failure !== undefined && wantsPassword(challenge)) {
      return this.passwordRefused(endpoint, owned, awaiting);
    }
    // Only who has proven a second factor is led on; a fresh sign-in alone begins anew with one.
    if (owned.requirement === 'fresh_sign_in')
      return owners.again({ ...owned, requirement: 'two_factor' }, awaiting);
    const next = onwardFrom(challenge, session.completed);
    if (next === undefined) throw new Refusal('homeserver_unclear');
    return owners.leadOn(awaiting, next);
  }

  /**
   * One server says 403 of a wrong password (HOMESERVERS §1, point 16), another 400 where passwords are switched
   * off; both statuses have other reasons too. The probe tells which it is.
   */
  private async tellRefusalApart(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
    answer: HomeserverAnswer,
    sent: JsonObject,
  ): Promise<Answer> {
    const { token, owner, request } = owned;
    const { client } = request;
    const { password, body } = awaiting;
    const { verdict } = await this.parts.homeserver.judgePassword({
      token,
      userId: owner.userId,
      password,
      client,
    });
    if (verdict === 'wrong') return this.passwordRefused(endpoint, owned, awaiting);
    if (verdict !== 'no_password') return refuse(answer, sent);
    const asked = await this.callHomeserver(request, body, token);
    const challenge = readChallenge(asked, body);
    return challenge === undefined ? refuse(answer, sent) : this.meet(challenge, endpoint, owned, awaiting);
  }

  /** Where a code was cut off the field, the whole may be the password: both readings are one attempt. */
  private passwordRefused(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
  ): Promise<Answer> {
    const other = this.parts.owners.otherReading(awaiting);
    if (other === undefined) return this.parts.owners.refused(awaiting);
    this.parts.owners.takeFurther(owned);
    return this.sendWithProof(endpoint, owned, other);
  }

  private async sendAfterProbe(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
  ): Promise<Answer> {
    const { request, token } = owned;
    const { body } = awaiting;
    const wrong = await this.parts.passwordProbe.judge(owned, awaiting);
    if (wrong !== undefined) return wrong;
    const answer = await this.callHomeserver(request, body, token);
    // A homeserver that asks for a proof here after all gets it.
    if (readChallenge(answer, body) !== undefined) return this.sendWithProof(endpoint, owned, awaiting);
    if (answer.status >= 300) return refuse(answer, body);
    return this.complete(endpoint, owned, awaiting, answer);
  }

  /** It is done: what follows from it follows, whether or not its session was ended meanwhile. */
  private async complete(
    endpoint: GuardedEndpoint,
    { request, owner }: OwnedRequest,
    awaiting: AwaitingJudge,
    answer: HomeserverAnswer,
  ): Promise<Answer> {
    await this.parts.owners.passed(awaiting);
    await this.parts.consequences.of(endpoint.consequence, owner.userId, answer);
    await this.parts.audit.record({
      userId: owner.userId,
      event: 'guard.passed',
      address: request.client.ip,
      deviceId: owner.deviceId,
      detail: { endpoint: endpoint.route },
    });
    return relayAnswer(answer, awaiting.body);
  }

  private async callHomeserver(
    request: ClientRequest,
    body: JsonObject,
    token: string | undefined,
    signal?: AbortSignal,
  ): Promise<HomeserverAnswer> {
    const answer = await this.parts.homeserver.call({
      method: request.method,
      path: request.path + request.search,
      body,
      client: request.client,
      signal,
      ...(token === undefined ? {} : { token }),
    });
    this.parts.missing.learnFrom(answer, request);
    return answer;
  }
}

/** A refusal for another reason than the password. Its session stays: the code is not asked for again. */
function refuse(answer: HomeserverAnswer, sent: JsonObject): Answer {
  if (answer.status === 401 && answer.json?.flows !== undefined) throw new Refusal('homeserver_unclear');
  return rebuildError(answer, sent);
}

function mayMeanThePassword({ status, json }: HomeserverAnswer): boolean {
  return (
    (status === 403 && json?.errcode === 'M_FORBIDDEN') || (status === 400 && json?.errcode === 'M_UNKNOWN')
  );
}
