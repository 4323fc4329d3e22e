import type { Audit } from '../audit/audit.ts';
import type { DevicePasswordRelease } from '../device_passwords/release.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { APPSERVICE_LOGIN, type JsonObject } from '../matrix/wire.ts';
import type { AppserviceTokens, ServiceListed } from '../second_factor/appservices.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { JoinedHolds } from '../second_factor/joined_holds.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import { type PresentedAuth, presentedAuth } from '../uia/presented_auth.ts';
import type { Session } from '../uia/session.ts';
import { heldSignIn } from './granted_hold.ts';
import { type AskedHomeserver, GrantedSignIn, type GrantedSignInDeps, type Step } from './granted_sign_in.ts';
import type { SignInRequest } from './held_sign_in.ts';
import { type LineOutcome, refusedAnswer, refusedOutcome, thrownOutcome } from './line_leases.ts';
import type { LoginAgain } from './login_again.ts';
import type { LoginConversation } from './login_conversation.ts';
import type { OwnTokens } from './own_tokens.ts';
import {
  isRefusedCredential,
  type LoginBody,
  type Reading,
  type Readings,
  readLoginBody,
} from './readings.ts';
import type { SignInLine } from './sign_in_line.ts';

/** How often a sign-in whose held login another one took may join or make the next one. */
const TURNS = 3;

export interface SignInDeps {
  readonly readings: Readings;
  readonly joined: JoinedHolds;
  readonly line: SignInLine;
  readonly upstream: UpstreamLogin;
  readonly again: LoginAgain;
  readonly granted: GrantedSignInDeps;
  readonly conversation: LoginConversation;
}

/** What a sign-in begins with. */
interface SignInStart {
  readonly request: ClientRequest;
  readonly body: JsonObject;
  readonly auth: PresentedAuth | undefined;
  readonly passed?: Session | undefined;
}

/**
 * Reads what a client asks for, and who may be meant.
 * @throws Refusal
 */
async function readSignIn(
  { readings, again }: Pick<SignInDeps, 'readings' | 'again'>,
  { request, body, auth, passed }: SignInStart,
): Promise<SignInRequest> {
  const login = readLoginBody(body);
  const hinted = await readings.mayMeanEnrolled(login);
  const withoutWishes = hinted && again.canFor(login.type);
  return { request, login, auth, hinted, withoutWishes, readings: await readings.of(login, hinted), passed };
}

/** One sign-in: the homeserver judges it as ever (R1), unless an equal one is held or is being judged (R12). */
export class SignIn {
  constructor(
    private readonly deps: SignInDeps,
    private readonly asked: SignInRequest,
  ) {}

  /** @throws Refusal */
  async begin(): Promise<Answer> {
    for (let turn = 0; turn < TURNS; turn++) {
      const step = (await this.join()) ?? (await this.askInTurn());
      if (step.is === 'answered') return step.answer;
      const answer = await this.converse(step);
      if (answer !== undefined) return answer;
    }
    throw new Refusal('hold_ended');
  }

  /** R12: an equal sign-in shares the hold that is there. */
  private async join(): Promise<Step | undefined> {
    const joined = await this.deps.joined.find(this.asked.readings, this.asked.request);
    return joined && { is: 'held', ...joined };
  }

  private async askInTurn(): Promise<Step> {
    const key = await this.deps.readings.lineKey(this.asked.login);
    if (key === undefined) return (await this.ask()).answer;
    return this.deps.line.ask<Step>({
      key,
      join: () => this.join(),
      ask: () => this.ask(),
      refuse: (outcome) => this.refuse(outcome),
    });
  }

  /** What an equal sign-in was refused. */
  private refuse(outcome: LineOutcome): Step {
    const refused = refusedAnswer(outcome);
    if (refused === undefined) throw thrownOutcome(outcome);
    return { is: 'answered', answer: rebuildError(refused, this.asked.login.body) };
  }

  /** Has the homeserver judge the readings one by one until it grants one. */
  private async ask(): Promise<AskedHomeserver> {
    const { asked, deps } = this;
    const passed = await this.logInAsPassed();
    if (passed !== undefined) return passed;
    let refused: { readonly answer: HomeserverAnswer; readonly sent: JsonObject } | undefined;
    for (const reading of asked.readings) {
      const sent = bodyFor(asked, reading);
      const outcome = await deps.upstream.attempt({
        request: asked.request,
        path: asked.request.path,
        body: sent,
        token: asked.login.type === APPSERVICE_LOGIN ? tokenOf(asked.request) : undefined,
      });
      if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
      if (outcome.kind === 'granted') {
        const { grant } = outcome;
        const taken = await new GrantedSignIn(deps.granted, { asked, reading, grant }).take();
        if (taken !== undefined) return taken;
        continue;
      }
      refused = { answer: outcome.answer, sent };
      if (!isRefusedCredential(outcome.answer)) break;
    }
    if (refused === undefined) throw new Refusal('login_refused');
    const answer = rebuildError(refused.answer, refused.sent);
    return { answer: { is: 'answered', answer }, outcome: refusedOutcome(refused.answer) };
  }

  /** The login of a session that has passed on another hold, which is gone: by our registration, if there is one. */
  private async logInAsPassed(): Promise<AskedHomeserver | undefined> {
    const { asked, deps } = this;
    const { request, login, passed } = asked;
    const userId = passed?.binding.userId ?? undefined;
    if (userId === undefined) return undefined;
    const grant = await deps.again.asPassed({ request, userId, body: withoutWishesIn(login.body) });
    if (grant === undefined) return undefined;
    // It is for this session alone: no equal sign-in joins it.
    const reading = { ...deps.readings.asSent(login), appended: undefined, joinKeys: undefined };
    const again = { asked: { ...asked, withoutWishes: true }, reading, grant };
    return new GrantedSignIn(deps.granted, again).take();
  }

  /** Challenges the client, or hands out to a session that has passed. Undefined if another sign-in took the hold. */
  private converse({ reading, hold, session }: Extract<Step, { is: 'held' }>): Promise<Answer | undefined> {
    const { request, passed } = this.asked;
    return passed === undefined
      ? this.deps.conversation.begin(heldSignIn(this.asked, reading, hold), session)
      : this.deps.conversation.finishOn(request, passed, hold);
  }
}

export interface LoginGateDeps {
  readonly signIn: SignInDeps;
  readonly ownTokens: OwnTokens;
  readonly appservices: AppserviceTokens;
  readonly exit: Exit;
  readonly audit: Audit;
  readonly devicePasswordRelease: DevicePasswordRelease;
}

/**
 * The gate on `POST /login` (R1): the homeserver judges the login as ever; what it grants is held back where
 * the user *in its answer* has 2FA on.
 */
export class LoginGate {
  constructor(private readonly deps: LoginGateDeps) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const body = requireShape('login_request', request.body);
    const released = await this.deps.devicePasswordRelease.handle(request, body);
    if (released !== undefined) return released;
    const redeemed = await this.deps.ownTokens.handle(request, body);
    if (redeemed !== undefined) return redeemed;
    const auth = presentedAuth(body);
    const service = this.deps.appservices.serviceOf(request);
    if (service !== undefined) return this.passService(request, readLoginBody(body), service);
    if (auth?.session === undefined) return this.begin({ request, body, auth });
    const resumed = await this.deps.signIn.conversation.resume(request, body, auth);
    if (resumed.kind === 'answer') return resumed.answer;
    return this.begin({ request, auth, body: resumed.body, passed: resumed.passed });
  }

  private async begin(start: SignInStart): Promise<Answer> {
    const { signIn } = this.deps;
    return new SignIn(signIn, await readSignIn(signIn, start)).begin();
  }

  /** The login of a listed application service, for any user; it is put on record first. */
  private async passService(
    request: ClientRequest,
    { body, deviceId }: LoginBody,
    service: ServiceListed,
  ): Promise<Answer> {
    const { upstream } = this.deps.signIn;
    const outcome = await upstream.logIn({ request, path: request.path, body, token: service.token });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return rebuildError(outcome.answer, body);
    const { grant } = outcome;
    try {
      await this.deps.audit.record({
        userId: grant.userId,
        event: 'appservice.login',
        client: request.client,
        deviceId: grant.deviceId,
      });
    } catch (error) {
      await upstream.abandon(grant, deviceId, request.client);
      throw error;
    }
    return this.deps.exit.handOut(grant, service);
  }
}

/** The body that goes to the homeserver: where an enrolled user may be meant, without device and name (R5, R12). */
function bodyFor({ login, withoutWishes }: SignInRequest, { password }: Reading): JsonObject {
  const body = password === undefined ? login.body : { ...login.body, password };
  return withoutWishes ? withoutWishesIn(body) : body;
}

function withoutWishesIn(body: JsonObject): JsonObject {
  const { device_id: _deviceId, initial_device_display_name: _name, ...anonymous } = body;
  return anonymous;
}

function tokenOf({ token }: ClientRequest): string | undefined {
  return token.kind === 'token' ? token.token : undefined;
}
