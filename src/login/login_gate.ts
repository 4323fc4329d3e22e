import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { type JsonObject, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { AppserviceTokens } from '../second_factor/appservices.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { HeldLogins, Kept } from '../second_factor/held_logins.ts';
import type { Passes, PassRedeemed } from '../second_factor/passes.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { type PresentedAuth, presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import type { Session } from '../uia/session.ts';
import { type LineOutcome, refusedAnswer, refusedOutcome, thrownOutcome } from './line_leases.ts';
import { type LoginBody, readLoginBody } from './login_body.ts';
import type { HeldSignIn, LoginConversation } from './login_conversation.ts';
import type { PresentedPass } from './presented_pass.ts';
import type { Reading, Readings } from './readings.ts';
import type { SignInLine } from './sign_in_line.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';
import type { LoginsWithoutFactor } from './without_factor.ts';

const APPSERVICE_LOGIN = 'm.login.application_service';

/** How often a sign-in whose held login another one took may join or make the next one. */
const TURNS = 3;

/** A sign-in on its way through the gate. */
interface Attempt {
  readonly request: ClientRequest;
  readonly signIn: LoginBody;
  readonly auth: PresentedAuth | undefined;
  /** Whether an enrolled user may be meant: the hint of R5, never the decision. */
  readonly hinted: boolean;
  readonly readings: readonly Reading[];
  /** A session that has passed on another hold, which is gone. */
  readonly passed: Session | undefined;
}

/** Where a sign-in stands that the homeserver, or an equal sign-in, has answered. */
type Step =
  /** `session`: it was opened with the hold. */
  | {
      readonly is: 'held';
      readonly hold: HeldLogin;
      readonly reading: Reading;
      readonly session?: Session | undefined;
    }
  | { readonly is: 'answered'; readonly answer: Answer };

type Asked = { readonly answer: Step; readonly outcome: LineOutcome };

export interface LoginGateDeps {
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly holds: HeldLogins;
  readonly conversation: LoginConversation;
  readonly exit: Exit;
  readonly passes: Passes;
  readonly presentedPass: PresentedPass;
  readonly line: SignInLine;
  readonly readings: Readings;
  readonly withoutFactor: LoginsWithoutFactor;
  readonly appservices: AppserviceTokens;
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
    const auth = presentedAuth(body);
    if (body.type === TOKEN_LOGIN && this.deps.passes.isOurs(body.token)) {
      return this.deps.presentedPass.redeem(request, body.token, withoutAuth(body));
    }
    const service = this.deps.appservices.serviceOf(request);
    if (service !== undefined) {
      return this.deps.withoutFactor.passService(request, readLoginBody(body), service);
    }
    if (auth?.session === undefined) return this.begin(request, body, auth);
    const resumed = await this.deps.conversation.resume(request, body, auth);
    return resumed.kind === 'answer'
      ? resumed.answer
      : this.begin(request, resumed.body, auth, resumed.passed);
  }

  private async begin(
    request: ClientRequest,
    body: JsonObject,
    auth: PresentedAuth | undefined,
    passed?: Session,
  ): Promise<Answer> {
    const signIn = readLoginBody(body);
    const hinted = await this.deps.readings.mayMeanEnrolled(signIn);
    const readings = await this.deps.readings.of(signIn, hinted);
    const attempt = { request, signIn, auth, hinted, readings, passed };
    for (let turn = 0; turn < TURNS; turn++) {
      const step = await this.prove(attempt);
      if (step.is === 'answered') return step.answer;
      const answer = await (passed === undefined
        ? this.converse(attempt, step)
        : this.deps.conversation.finishOn(request, passed, step.hold));
      if (answer !== undefined) return answer;
    }
    throw new Refusal('hold_ended');
  }

  /** Has the password judged, unless an equal sign-in is held or is being judged (R12). */
  private async prove(attempt: Attempt): Promise<Step> {
    const joined = await this.join(attempt);
    if (joined !== undefined) return joined;
    const { signIn } = attempt;
    const key = await this.deps.readings.lineKey(signIn);
    if (key === undefined) return (await this.ask(attempt)).answer;
    return this.deps.line.ask<Step>({
      key,
      join: () => this.join(attempt),
      ask: () => this.ask(attempt),
      refuse: (outcome) => this.refuse(attempt, outcome),
    });
  }

  /** R12: an equal sign-in shares the hold that is there. */
  private async join(attempt: Attempt): Promise<Step | undefined> {
    for (const reading of attempt.readings) {
      const hold = reading.joinKeys && (await this.deps.holds.findToJoin(reading.joinKeys));
      if (hold !== undefined) return { is: 'held', hold, reading };
    }
    return undefined;
  }

  /** What an equal sign-in was refused. */
  private refuse({ signIn }: Attempt, outcome: LineOutcome): Step {
    const refused = refusedAnswer(outcome);
    if (refused === undefined) throw thrownOutcome(outcome);
    return { is: 'answered', answer: rebuildError(refused, signIn.body) };
  }

  /** Has the homeserver judge the readings one by one until it grants one. */
  private async ask(attempt: Attempt): Promise<Asked> {
    const { request, signIn } = attempt;
    let refused: { readonly answer: HomeserverAnswer; readonly sent: JsonObject } | undefined;
    for (const reading of attempt.readings) {
      const sent = bodyFor(attempt, reading);
      const outcome = await this.deps.upstream.attempt({
        request,
        path: request.path,
        body: sent,
        token: signIn.type === APPSERVICE_LOGIN ? tokenOf(request) : undefined,
      });
      if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
      if (outcome.kind === 'granted') {
        const asked = await this.takeGrant(attempt, reading, outcome);
        if (asked !== undefined) return asked;
        continue;
      }
      refused = { answer: outcome.answer, sent };
      if (!isRefusedCredential(outcome.answer)) break;
    }
    if (refused === undefined) throw new Refusal('login_refused');
    const answer = rebuildError(refused.answer, refused.sent);
    return { answer: { is: 'answered', answer }, outcome: refusedOutcome(refused.answer) };
  }

  /** Undefined if this reading must not let anyone in. A grant that fails on its way is logged out. */
  private async takeGrant(
    attempt: Attempt,
    reading: Reading,
    granted: GrantedLogin,
  ): Promise<Asked | undefined> {
    let isKept = false;
    try {
      const asked = await this.passOrHold(attempt, reading, granted);
      // No one would get this answer; a held login waits for the client's next try.
      if (asked?.answer.is === 'answered') attempt.request.signal.throwIfAborted();
      isKept = asked !== undefined;
      return asked;
    } finally {
      if (!isKept) await this.abandon(attempt, granted);
    }
  }

  private async passOrHold(
    attempt: Attempt,
    reading: Reading,
    granted: GrantedLogin,
  ): Promise<Asked | undefined> {
    const { grant } = granted;
    const standing = await this.deps.standings.of(grant.userId);
    if (standing.is === 'passes') {
      if (!(await this.mayPass(attempt, reading))) return undefined;
      const answer = await this.deps.withoutFactor.handOut(attempt, granted, standing.proof);
      return { answer: { is: 'answered', answer }, outcome: { is: 'passed' } };
    }
    const pass = await this.redeemPass(attempt.signIn, grant);
    if (pass !== undefined) {
      const answer = this.deps.exit.handOut(grant, pass);
      return { answer: { is: 'answered', answer }, outcome: { is: 'passed' } };
    }
    const { hold, session } = await this.hold(attempt, reading, granted, standing.version);
    return { answer: { is: 'held', hold, reading, session }, outcome: { is: 'held' } };
  }

  private converse(
    attempt: Attempt,
    { reading, hold, session }: Extract<Step, { is: 'held' }>,
  ): Promise<Answer | undefined> {
    return this.deps.conversation.begin(heldSignIn(attempt, reading, hold), session);
  }

  private async hold(
    attempt: Attempt,
    reading: Reading,
    granted: GrantedLogin,
    version: number,
  ): Promise<Kept> {
    const kept = await this.deps.holds.keep(
      {
        // A login token or JWT names no one and is good for one login; a password can be tried without end.
        usesAllowance: attempt.signIn.password !== undefined,
        grant: granted.grant,
        password: reading.password,
        joinKeys: reading.joinKeys,
        atEnd: await granted.grant.endOn(chosenDevice(attempt), this.deps.homeserver, attempt.request.client),
        version,
      },
      attempt.passed === undefined
        ? (held) => this.deps.conversation.opening(heldSignIn(attempt, reading, held), version)
        : undefined,
    );
    if (!kept.isOwn) await this.abandon(attempt, granted);
    return kept;
  }

  private abandon(attempt: Attempt, { grant }: GrantedLogin): Promise<void> {
    return this.deps.upstream.abandon(grant, chosenDevice(attempt), attempt.request.client);
  }

  /** A login token that was issued under 2FA stands for it, once. */
  private async redeemPass(signIn: LoginBody, grant: Grant): Promise<PassRedeemed | undefined> {
    const loginToken = signIn.body.token;
    if (signIn.type !== TOKEN_LOGIN || typeof loginToken !== 'string') return undefined;
    return this.deps.passes.redeem(loginToken, grant);
  }

  private async isEndedToken({ type, body: { token } }: LoginBody): Promise<boolean> {
    return type === TOKEN_LOGIN && typeof token === 'string' && this.deps.passes.isEnded(token);
  }

  /** False if this grant must not let its user in, though they have no 2FA. */
  private async mayPass({ signIn }: Attempt, reading: Reading): Promise<boolean> {
    // No one gets in with more than their password (attack 100).
    return reading.appended === undefined && !(await this.isEndedToken(signIn));
  }
}

function heldSignIn({ request, signIn, auth }: Attempt, reading: Reading, hold: HeldLogin): HeldSignIn {
  return { request, hold, auth, appended: reading.appended, body: signIn.body, proven: [signIn.type] };
}

/** The device that the client chose and the homeserver was told: a hinted password login went without it (R5). */
function chosenDevice({ signIn, hinted }: Attempt): string | undefined {
  return hinted && signIn.password !== undefined ? undefined : signIn.deviceId;
}

/** The body that goes to the homeserver: where an enrolled user may be meant, without device and name (R5, R12). */
function bodyFor({ signIn, hinted }: Attempt, reading: Reading): JsonObject {
  if (reading.password === undefined) return signIn.body;
  const body: JsonObject = { ...signIn.body, password: reading.password };
  if (!hinted) return body;
  const { device_id: _deviceId, initial_device_display_name: _name, ...anonymous } = body;
  return anonymous;
}

function tokenOf(request: ClientRequest): string | undefined {
  return request.token.kind === 'token' ? request.token.token : undefined;
}

/** Whether the homeserver found the credential wrong, so that the other reading may be tried. */
function isRefusedCredential(answer: HomeserverAnswer): boolean {
  return answer.status === 403 || (answer.status === 401 && answer.json?.flows === undefined);
}
