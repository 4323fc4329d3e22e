import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { type AppserviceTokens, listedAppservice } from '../second_factor/appservices.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import { requireTokenlessStage } from '../second_factor/tokenless_stages.ts';
import type { FactorStore, HeldLogin } from '../storage/stores.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSessionId } from '../uia/session_id.ts';
import { endOfHold } from './hold_end.ts';
import type { LoginAnswers } from './login_answers.ts';
import type { LoginConversation } from './login_conversation.ts';
import { wishedDevice } from './sign_in.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';

export interface RegisterGateParts {
  readonly factors: FactorStore;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly holds: HeldLogins;
  readonly conversation: LoginConversation;
  readonly answers: LoginAnswers;
  readonly appservices: AppserviceTokens;
}

/**
 * The gate on `POST /register`. A new account has no 2FA and passes; but homeservers hand out a token for a
 * finished registration again, without a password, at any later time (HOMESERVERS §1, point 20): so every
 * token in an answer is held by the same rule as at login (R1, attack 37).
 */
export class RegisterGate {
  constructor(private readonly parts: RegisterGateParts) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const body: JsonObject = requireShape('register_request', request.body ?? {});
    const auth = presentedAuth(body);
    const service = listedAppservice(this.parts.appservices, request);
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
    service: string | undefined,
  ): Promise<Answer> {
    const { upstream } = this.parts;
    const call = { request, path: request.path, body, token: service };
    const outcome = await (service === undefined ? upstream.attempt(call) : upstream.logIn(call));
    if (outcome.kind === 'refused') return this.parts.answers.refused(outcome.answer, body);
    if (outcome.kind === 'without_token' || service !== undefined) {
      return this.parts.answers.granted(outcome.answer);
    }
    return this.answerGranted(request, body, outcome);
  }

  private async answerGranted(
    request: ClientRequest,
    body: JsonObject,
    granted: GrantedLogin,
  ): Promise<Answer> {
    let answered = false;
    try {
      const enrolled = await this.parts.factors.isEnrolled(granted.userId);
      const hold = enrolled ? await this.hold(request, body, granted) : undefined;
      // A client that hung up does not get the token.
      if (hold === undefined) request.signal.throwIfAborted();
      answered = true;
      if (hold === undefined) return this.parts.answers.granted(granted.answer);
      return await this.converse(request, body, hold);
    } finally {
      if (!answered) await this.abandon(request, body, granted);
    }
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

  private async hold(request: ClientRequest, body: JsonObject, granted: GrantedLogin): Promise<HeldLogin> {
    const { grant, userId } = granted;
    const { hold, isOwn } = await this.parts.holds.keep({
      grant,
      userId,
      password: undefined,
      usesAllowance: false,
      joinKeys: undefined,
      atEnd: await endOfHold(this.parts.homeserver, granted, wishedDevice(body), request.client),
    });
    if (!isOwn) await this.abandon(request, body, granted);
    return hold;
  }

  /** Ends a grant that nobody gets and that is not held, but not the keys of a device that it shares (R5). */
  private async abandon(request: ClientRequest, body: JsonObject, granted: GrantedLogin): Promise<void> {
    const end = await endOfHold(this.parts.homeserver, granted, wishedDevice(body), request.client);
    if (end === 'logout') await this.parts.upstream.discard(granted.grant);
  }
}
