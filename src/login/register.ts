import type { Homeserver } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { withOwnWellKnown } from '../matrix/well_known.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import type { AppserviceTokens, ServiceListed } from '../second_factor/appservices.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { NewHold } from '../second_factor/held_logins.ts';
import type { JoinedHolds } from '../second_factor/joined_holds.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Standings } from '../second_factor/standing.ts';
import { type UpstreamLogin, wishedDevice } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { requireTokenlessStage } from '../uia/allowed_stages.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSessionId } from '../uia/session.ts';
import type { LoginConversation } from './login_conversation.ts';

export interface RegisterGateDeps {
  readonly upstream: UpstreamLogin;
  readonly conversation: LoginConversation;
  readonly exit: Exit;
  readonly publicBaseUrl: string;
  readonly appservices: AppserviceTokens;
  readonly policies: Policies;
  readonly granted: GrantedRegistration;
}

/**
 * The gate on `POST /register`. A new account has no 2FA and passes; but homeservers hand out a token for a
 * finished registration again, without a password, at any later time (docs/homeservers.md): so every
 * token in an answer is held by the same rule as at login (R1, attack 37).
 */
export class RegisterGate {
  constructor(private readonly deps: RegisterGateDeps) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const body: JsonObject = requireShape('register_request', request.body ?? {});
    const auth = presentedAuth(body);
    const service = this.deps.appservices.serviceOf(request);
    if (service === undefined && auth?.session !== undefined && isSessionId(auth.session)) {
      const resumed = await this.deps.conversation.resume(request, body, auth);
      if (resumed.kind === 'answer') return resumed.answer;
      throw new Refusal('hold_ended');
    }
    if (service === undefined) requireTokenlessStage(auth);
    // Refused before there is an account.
    wishedDevice(body);
    return this.register(request, body, service);
  }

  private async register(
    request: ClientRequest,
    body: JsonObject,
    service: ServiceListed | undefined,
  ): Promise<Answer> {
    const { upstream, exit, publicBaseUrl } = this.deps;
    const call = { request, path: request.path, body, token: service?.token };
    const outcome = await (service === undefined ? upstream.attempt(call) : upstream.logIn(call));
    if (outcome.kind === 'refused') return rebuildError(outcome.answer, body);
    if (outcome.kind === 'without_token') {
      if (service === undefined && typeof outcome.body.user_id === 'string')
        await this.deps.policies.registered(outcome.body.user_id);
      return { status: 200, body: withOwnWellKnown(outcome.body, publicBaseUrl) };
    }
    if (service !== undefined) return exit.handOut(outcome.grant, service);
    return this.answerGranted(request, body, outcome.grant);
  }

  private async answerGranted(request: ClientRequest, body: JsonObject, grant: Grant): Promise<Answer> {
    const { policies, granted } = this.deps;
    let outcome: RegistrationOutcome;
    try {
      await policies.registered(grant.userId);
      outcome = await granted.passOrHold(request, body, grant);
    } catch (error) {
      await granted.abandon(request, body, grant);
      throw error;
    }
    return outcome.is === 'answered' ? outcome.answer : this.converse(request, body, outcome.hold);
  }

  private async converse(request: ClientRequest, body: JsonObject, hold: HeldLogin): Promise<Answer> {
    const answer = await this.deps.conversation.begin({
      request,
      hold,
      body: withoutAuth(body),
      proven: [],
      auth: undefined,
      appended: undefined,
    });
    if (answer === undefined) throw new Refusal('hold_ended');
    return answer;
  }
}

export interface GrantedRegistrationDeps {
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly joined: JoinedHolds;
  readonly exit: Exit;
  readonly enrolment: OwedEnrolment;
}

type RegistrationOutcome =
  | { readonly is: 'answered'; readonly answer: Answer }
  | { readonly is: 'held'; readonly hold: HeldLogin };

/** A login that came with a registration: handed out, or held. */
export class GrantedRegistration {
  constructor(private readonly deps: GrantedRegistrationDeps) {}

  /** @throws Refusal owes_enrolment, hold_ended */
  async passOrHold(request: ClientRequest, body: JsonObject, grant: Grant): Promise<RegistrationOutcome> {
    const { standings, homeserver, enrolment, exit } = this.deps;
    const witness = grant.witness(homeserver, request.client, false);
    const standing = await standings.of(grant.userId, witness);
    if (standing.is === 'owes_enrolment') throw enrolment.owed(standing);
    if (standing.is === 'owes_factor') {
      return { is: 'held', hold: await this.hold(request, body, grant, standing.version) };
    }
    // A client that hung up does not get the token.
    request.signal.throwIfAborted();
    return { is: 'answered', answer: exit.handOut(grant, standing.proof) };
  }

  private async hold(
    request: ClientRequest,
    body: JsonObject,
    grant: Grant,
    version: number,
  ): Promise<HeldLogin> {
    const made: NewHold = {
      grant,
      password: undefined,
      usesAllowance: false,
      joinKeys: undefined,
      atEnd: await grant.endOn(wishedDevice(body), this.deps.homeserver, request.client),
      version,
    };
    const { hold, isOwn } = await this.deps.joined.keep(made, request);
    if (!isOwn) await this.abandon(request, body, grant);
    return hold;
  }

  /** Ends a login that no client gets. */
  abandon({ client }: ClientRequest, body: JsonObject, grant: Grant): Promise<void> {
    return this.deps.upstream.abandon(grant, wishedDevice(body), client);
  }
}
