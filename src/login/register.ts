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
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import { wishedDevice } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { requireTokenlessStage } from '../uia/allowed_stages.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSessionId } from '../uia/session_id.ts';
import type { LoginConversation } from './login_conversation.ts';

export interface RegisterGateParts {
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly joined: JoinedHolds;
  readonly conversation: LoginConversation;
  readonly exit: Exit;
  readonly publicBaseUrl: string;
  readonly appservices: AppserviceTokens;
  readonly enrolment: OwedEnrolment;
  readonly policies: Policies;
}

/**
 * The gate on `POST /register`. A new account has no 2FA and passes; but homeservers hand out a token for a
 * finished registration again, without a password, at any later time (docs/homeservers.md): so every
 * token in an answer is held by the same rule as at login (R1, attack 37).
 */
export class RegisterGate {
  constructor(private readonly parts: RegisterGateParts) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const body: JsonObject = requireShape('register_request', request.body ?? {});
    const auth = presentedAuth(body);
    const service = this.parts.appservices.serviceOf(request);
    if (service === undefined && auth?.session !== undefined && isSessionId(auth.session)) {
      const resumed = await this.parts.conversation.resume(request, body, auth);
      if (resumed.kind === 'answer') return resumed.answer;
      throw new Refusal('hold_ended');
    }
    if (service === undefined) requireTokenlessStage(auth);
    return this.register(request, body, service);
  }

  private async register(
    request: ClientRequest,
    body: JsonObject,
    service: ServiceListed | undefined,
  ): Promise<Answer> {
    const { upstream, exit, publicBaseUrl } = this.parts;
    const call = { request, path: request.path, body, token: service?.token };
    const outcome = await (service === undefined ? upstream.attempt(call) : upstream.logIn(call));
    if (outcome.kind === 'refused') return rebuildError(outcome.answer, body);
    if (outcome.kind === 'without_token') {
      if (service === undefined && typeof outcome.body.user_id === 'string')
        await this.parts.policies.registered(outcome.body.user_id);
      return { status: 200, body: withOwnWellKnown(outcome.body, publicBaseUrl) };
    }
    if (service !== undefined) return exit.handOut(outcome.grant, service);
    return this.answerGranted(request, body, outcome.grant);
  }

  private async answerGranted(request: ClientRequest, body: JsonObject, grant: Grant): Promise<Answer> {
    let held: HeldLogin;
    try {
      await this.parts.policies.registered(grant.userId);
      const witness = grant.witness(this.parts.homeserver, request.client, false);
      const standing = await this.parts.standings.of(grant.userId, witness);
      if (standing.is === 'owes_enrolment') throw this.parts.enrolment.owed(standing);
      if (standing.is !== 'owes_factor') {
        // A client that hung up does not get the token.
        request.signal.throwIfAborted();
        return this.parts.exit.handOut(grant, standing.proof);
      }
      held = await this.hold(request, body, grant, standing.version);
    } catch (error) {
      await this.abandon(request, body, grant);
      throw error;
    }
    return this.converse(request, body, held);
  }

  private async converse(request: ClientRequest, body: JsonObject, hold: HeldLogin): Promise<Answer> {
    const answer = await this.parts.conversation.begin({
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
      atEnd: await grant.endOn(wishedDevice(body), this.parts.homeserver, request.client),
      version,
    };
    const { hold, isOwn } = await this.parts.joined.keep(made, request);
    if (!isOwn) await this.abandon(request, body, grant);
    return hold;
  }

  private abandon({ client }: ClientRequest, body: JsonObject, grant: Grant): Promise<void> {
    return this.parts.upstream.abandon(grant, wishedDevice(body), client);
  }
}
