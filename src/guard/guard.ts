import type { Audit } from '../audit/audit.ts';
import { splitAppendedCode } from '../factors/appended_code.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { retryAfterMs } from '../homeserver/retry_after.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { type AppserviceTokens, listedAppservice } from '../interactive/appservice_tokens.ts';
import type { FreshLogins } from '../interactive/fresh_logins.ts';
import type {
  AwaitingJudge,
  OwnedRequest,
  OwnerAuthentication,
  Requirement,
} from '../interactive/owner_authentication.ts';
import { requireOwnName } from '../interactive/owner_name.ts';
import type { PasswordProbe } from '../interactive/password_probe.ts';
import { relayAnswer } from '../interactive/relay.ts';
import type { SecondFactors } from '../interactive/second_factors.ts';
import { type KnownCaller, requireCaller } from '../interactive/token_owner.ts';
import { requireTokenlessStage } from '../interactive/tokenless_stages.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { requireShape } from '../schema/registry.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import type { Consequences } from './consequences.ts';
import type { GuardedEndpoint } from './guarded_endpoints.ts';
import { needsNoProof } from './signing_keys.ts';

export interface GuardParts {
  readonly homeserver: Homeserver;
  readonly secondFactors: SecondFactors;
  readonly owners: OwnerAuthentication;
  readonly passwordProbe: PasswordProbe;
  readonly freshLogins: FreshLogins;
  readonly appservices: AppserviceTokens;
  readonly consequences: Consequences;
  readonly audit: Audit;
  /** Digits of a TOTP code. */
  readonly digits: number;
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
    const service = listedAppservice(this.parts.appservices, request);
    if (service !== undefined) return this.relay(request, request.body ?? {}, service);
    const body: JsonObject = requireShape(endpoint.shape, request.body ?? {});
    if (request.token.kind === 'none' && endpoint.tokenless === 'relayed') {
      return this.relayTokenless(endpoint, request, body);
    }
    const caller = await requireCaller(this.parts.homeserver, request);
    if (!(await this.parts.secondFactors.isEnrolled(caller.owner.userId))) {
      return this.relayWithoutFactor(endpoint, request, body, caller);
    }
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
    return relayAnswer(await this.callHomeserver(request, body, undefined), body);
  }

  private async relayWithoutFactor(
    endpoint: GuardedEndpoint,
    request: ClientRequest,
    body: JsonObject,
    caller: KnownCaller,
  ): Promise<Answer> {
    const auth = presentedAuth(body);
    if (auth?.type === PASSWORD_STAGE) requireOwnName(auth.fields, caller.owner.userId);
    requireShape(endpoint.shape, withoutAuth(body));
    const answer = await this.callHomeserver(request, body, caller.token);
    if (answer.status === 200 && endpoint.consequence === 'password_changed') {
      await this.parts.consequences.of('password_changed', caller.owner.userId, answer);
    }
    return relayAnswer(answer, body);
  }

  private async relay(request: ClientRequest, body: JsonObject, token: string): Promise<Answer> {
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
    const published = await this.parts.homeserver.publishedKeys(token, owner.userId, request.client);
    if (needsNoProof(keys, published)) {
      const answer = await this.callHomeserver(request, keys, token);
      // One server asks all the same (HOMESERVERS §1, point 15): its challenge is never relayed.
      if (answer.status !== 401) return relayAnswer(answer, keys);
    }
    const isFresh = await this.parts.freshLogins.isFresh(token, owner.userId);
    const requirement = isFresh ? 'password' : 'two_factor';
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
    const password = splitAppendedCode(field, this.parts.digits)?.password ?? field;
    return { ...body, auth: { ...auth.fields, password } };
  }

  private async prove(endpoint: GuardedEndpoint, owned: OwnedRequest): Promise<Answer> {
    const step = await this.parts.owners.step(owned);
    if (step.kind === 'answer') return step.answer;
    return endpoint.judge === 'request'
      ? this.sendWithPassword(endpoint, owned, step)
      : this.sendAfterProbe(endpoint, owned, step);
  }

  /** ONE request: the real body with a one-shot `auth` pinned to the token's owner (R6). */
  private async sendWithPassword(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
  ): Promise<Answer> {
    const { request, owner, token } = owned;
    const auth = {
      type: PASSWORD_STAGE,
      identifier: { type: 'm.id.user', user: owner.userId },
      password: awaiting.password,
    };
    const sent = { ...awaiting.body, auth };
    const answer = await this.callHomeserver(request, sent, token);
    if (isWrongPassword(answer)) return this.parts.owners.refused(awaiting);
    if (answer.status >= 300) return this.refuse(answer, sent);
    return this.complete(endpoint, owned, awaiting, answer);
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
    if (answer.status >= 300) return this.refuse(answer, body);
    return this.complete(endpoint, owned, awaiting, answer);
  }

  private async complete(
    endpoint: GuardedEndpoint,
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
    answer: HomeserverAnswer,
  ): Promise<Answer> {
    const { request, owner } = owned;
    if (!(await this.parts.owners.passed(awaiting))) return this.parts.owners.again(owned);
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

  /** A refusal for another reason than the password. Its session stays: the code is not asked for again. */
  private refuse(answer: HomeserverAnswer, sent: JsonObject): Answer {
    if (answer.status === 429) {
      const wait = retryAfterMs(answer);
      throw new Refusal('limit_exceeded', wait === undefined ? {} : { retryAfterMs: wait });
    }
    if (answer.status === 401 && answer.json?.flows !== undefined) {
      throw new Refusal('homeserver_unclear', {
        text: 'The homeserver asks for a proof here that this server cannot pass on.',
      });
    }
    return rebuildError(answer, sent);
  }

  private callHomeserver(
    request: ClientRequest,
    body: JsonObject,
    token: string | undefined,
  ): Promise<HomeserverAnswer> {
    return this.parts.homeserver.call({
      method: request.method,
      path: request.path + request.search,
      body,
      client: request.client,
      ...(token === undefined ? {} : { token }),
    });
  }
}

/** A wrong password in UIA: 401 with `M_FORBIDDEN` by the specification, 403 on one server (HOMESERVERS §1, point 16). */
function isWrongPassword(answer: HomeserverAnswer): boolean {
  return (answer.status === 401 || answer.status === 403) && answer.json?.errcode === 'M_FORBIDDEN';
}
