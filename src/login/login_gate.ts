import type { Audit } from '../audit/audit.ts';
import { type AppendedCode, splitAppendedCode } from '../factors/appended_code.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { type AppserviceTokens, listedAppservice } from '../interactive/appservice_tokens.ts';
import type { FreshLogins } from '../interactive/fresh_logins.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { requireShape } from '../schema/registry.ts';
import type { FactorStore, HeldLogin } from '../storage/stores.ts';
import type { RateLimit } from '../throttle/rate_limit.ts';
import { type PresentedAuth, presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import type { EqualSignIns } from './equal_sign_ins.ts';
import type { BegunHold, HeldLogins, JoinKeys } from './held_logins.ts';
import { endOfHold } from './hold_end.ts';
import type { LoginAnswers } from './login_answers.ts';
import type { LoginConversation } from './login_conversation.ts';
import type { PassedLoginTokens } from './passed_login_tokens.ts';
import { readSignIn, type SignIn } from './sign_in.ts';
import type { SignInTokens } from './sign_in_tokens.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';

const APPSERVICE_LOGIN = 'm.login.application_service';
const TOKEN_LOGIN = 'm.login.token';

/** One way to read a password field: the password for the homeserver, and the code that stood behind it. */
interface Reading {
  readonly password: string | undefined;
  readonly appended: AppendedCode | undefined;
  readonly joinKeys: JoinKeys | undefined;
}

/** A sign-in on its way through the gate. */
interface Attempt {
  readonly request: ClientRequest;
  readonly signIn: SignIn;
  readonly auth: PresentedAuth | undefined;
  /** Whether an enrolled user may be meant: the hint of R5, never the decision. */
  readonly hinted: boolean;
  readonly readings: readonly Reading[];
}

export interface LoginGateParts {
  readonly factors: FactorStore;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly holds: HeldLogins;
  readonly conversation: LoginConversation;
  readonly answers: LoginAnswers;
  readonly passedTokens: PassedLoginTokens;
  readonly signInTokens: SignInTokens;
  readonly equalSignIns: EqualSignIns;
  readonly freshLogins: FreshLogins;
  readonly appservices: AppserviceTokens;
  readonly signInLimit: RateLimit;
  readonly audit: Audit;
}

export interface LoginGateSettings {
  /** Whether a code may stand behind the password. */
  readonly appendedCode: boolean;
  /** Digits of a TOTP code. */
  readonly digits: number;
}

/**
 * The gate on `POST /login` (R1): the homeserver judges the login as ever; what it grants is held back where
 * the user *in its answer* has 2FA on.
 */
export class LoginGate {
  constructor(
    private readonly parts: LoginGateParts,
    private readonly settings: LoginGateSettings,
  ) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const body = requireShape('login_request', request.body);
    const auth = presentedAuth(body);
    if (body.type === TOKEN_LOGIN && this.parts.signInTokens.isOurs(body.token)) {
      return this.parts.signInTokens.redeem(request, body.token, withoutAuth(body));
    }
    const service = listedAppservice(this.parts.appservices, request);
    if (service !== undefined) return this.passAppservice(request, readSignIn(body), service);
    if (auth?.session === undefined) return this.begin(request, body, auth);
    const resumed = await this.parts.conversation.resume(request, body, auth);
    return resumed.kind === 'answer' ? resumed.answer : this.begin(request, resumed.body, auth);
  }

  private async begin(
    request: ClientRequest,
    body: JsonObject,
    auth: PresentedAuth | undefined,
  ): Promise<Answer> {
    const signIn = readSignIn(body);
    const hinted = await this.mayMeanEnrolled(signIn);
    const attempt = { request, signIn, auth, hinted, readings: await this.readingsOf(signIn, hinted) };
    const joined = await this.join(attempt);
    if (joined !== undefined) return joined;
    if (hinted) this.requireAllowance(signIn);
    const key = hinted ? attempt.readings[0]?.joinKeys?.exact : undefined;
    const ask = () => this.askHomeserver(attempt);
    return key === undefined ? ask() : this.parts.equalSignIns.inTurn(key, () => this.join(attempt), ask);
  }

  /** R12: an equal sign-in shares the hold that is there. */
  private async join(attempt: Attempt): Promise<Answer | undefined> {
    const anySpelling = this.parts.signInLimit.isEmpty(attempt.signIn.identity.folded);
    for (const reading of attempt.readings) {
      const hold = reading.joinKeys && (await this.parts.holds.findToJoin(reading.joinKeys, anySpelling));
      const answer = hold && (await this.converse(attempt, reading, hold));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** Has the homeserver judge the readings one by one until it grants one. */
  private async askHomeserver(attempt: Attempt): Promise<Answer> {
    const { request, signIn } = attempt;
    let refused: { readonly answer: HomeserverAnswer; readonly sent: JsonObject } | undefined;
    for (const reading of attempt.readings) {
      const sent = bodyFor(attempt, reading);
      const outcome = await this.parts.upstream.attempt({
        request,
        path: request.path,
        body: sent,
        token: signIn.type === APPSERVICE_LOGIN ? tokenOf(request) : undefined,
      });
      if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
      if (outcome.kind === 'granted') {
        const answer = await this.answerGranted(attempt, reading, outcome);
        if (answer !== undefined) return answer;
        continue;
      }
      refused = { answer: outcome.answer, sent };
      if (!isRefusedCredential(outcome.answer)) break;
    }
    if (refused === undefined) throw new Refusal('login_refused');
    return this.parts.answers.refused(refused.answer, refused.sent);
  }

  /** Undefined if this reading must not let anybody in. A grant that fails on its way is logged out. */
  private async answerGranted(
    attempt: Attempt,
    reading: Reading,
    granted: GrantedLogin,
  ): Promise<Answer | undefined> {
    let answered = false;
    try {
      const enrolled = await this.parts.factors.isEnrolled(granted.userId);
      if (!enrolled) {
        const answer = await this.grantWithoutFactor(attempt, reading, granted);
        answered = answer !== undefined;
        return answer;
      }
      if (await this.isPassedToken(attempt.signIn, granted)) {
        answered = true;
        return this.parts.answers.released(granted.grant.body, 0);
      }
      const { held, kept } = await this.hold(attempt, reading, granted);
      const heldFromNow = kept.then(() => {
        answered = true;
      });
      const [answer] = await Promise.all([this.converseOrRefuse(attempt, reading, held), heldFromNow]);
      return answer;
    } finally {
      if (!answered) await this.abandon(attempt, granted);
    }
  }

  private async converseOrRefuse(attempt: Attempt, reading: Reading, hold: HeldLogin): Promise<Answer> {
    const answer = await this.converse(attempt, reading, hold);
    // Somebody with the same password and the code took this very login in between: signing in anew works.
    if (answer === undefined) throw new Refusal('hold_ended');
    return answer;
  }

  private converse(attempt: Attempt, reading: Reading, hold: HeldLogin): Promise<Answer | undefined> {
    const { request, signIn, auth } = attempt;
    const { appended } = reading;
    return this.parts.conversation.begin({
      request,
      hold,
      auth,
      appended,
      body: signIn.body,
      proven: [signIn.type],
    });
  }

  private async hold(attempt: Attempt, reading: Reading, granted: GrantedLogin): Promise<BegunHold> {
    const { signIn } = attempt;
    return this.parts.holds.begin({
      allowance: this.spendAllowance(signIn),
      grant: granted.grant,
      userId: granted.userId,
      password: reading.password,
      joinKeys: reading.joinKeys,
      atEnd: await this.endOf(attempt, granted),
    });
  }

  /** @throws Refusal limit_exceeded */
  private requireAllowance({ password, identity }: SignIn): void {
    // A login token or JWT names nobody and is good for one login; a password can be tried without end.
    if (password !== undefined) this.parts.signInLimit.require(identity.folded);
  }

  /** The allowance that was spent; whoever takes the login gives it back. */
  private spendAllowance({ password, identity }: SignIn): string | undefined {
    if (password === undefined) return undefined;
    this.parts.signInLimit.spend(identity.folded);
    return identity.folded;
  }

  private endOf({ request, signIn, hinted }: Attempt, granted: GrantedLogin): Promise<HeldLogin['atEnd']> {
    // A hinted password login went without the client's device: the homeserver chose a new one.
    const chosenDevice = hinted && signIn.password !== undefined ? undefined : signIn.deviceId;
    return endOfHold(this.parts.homeserver, granted, chosenDevice, request.client);
  }

  /** Ends a grant that nobody gets and that is not held, but not the keys of a device that it shares (R5). */
  private async abandon(attempt: Attempt, granted: GrantedLogin): Promise<void> {
    if ((await this.endOf(attempt, granted)) === 'logout') await this.parts.upstream.discard(granted.grant);
  }

  /** A login token that was issued under 2FA stands for it, once. */
  private async isPassedToken(signIn: SignIn, granted: GrantedLogin): Promise<boolean> {
    const loginToken = signIn.body.token;
    if (signIn.type !== TOKEN_LOGIN || typeof loginToken !== 'string') return false;
    if (!(await this.parts.passedTokens.redeem(loginToken, granted.userId))) return false;
    await this.parts.freshLogins.remember(granted.grant.accessToken, granted.userId, undefined);
    return true;
  }

  /** A user without 2FA. What R5 kept back because somebody else might have been meant is made up for. */
  private async grantWithoutFactor(
    attempt: Attempt,
    reading: Reading,
    granted: GrantedLogin,
  ): Promise<Answer | undefined> {
    const { request, signIn, hinted } = attempt;
    // Nobody gets in with more than his password (attack 100).
    if (reading.appended !== undefined) return undefined;
    if (!hinted || signIn.password === undefined) return this.parts.answers.granted(granted.answer);
    if (signIn.deviceId !== undefined) return this.loginAgainWithDevice(attempt, granted);
    const { grant } = granted;
    if (signIn.displayName !== undefined && grant.deviceId !== undefined) {
      await this.parts.homeserver.nameDevice(
        grant.accessToken,
        grant.deviceId,
        signIn.displayName,
        request.client,
      );
    }
    return this.parts.answers.granted(granted.answer);
  }

  private async loginAgainWithDevice(attempt: Attempt, first: GrantedLogin): Promise<Answer> {
    const { request, signIn } = attempt;
    const outcome = await this.parts.upstream.attempt({ request, path: request.path, body: signIn.body });
    await this.parts.upstream.discard(first.grant);
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return this.parts.answers.refused(outcome.answer, signIn.body);
    let needsNoFactor = false;
    try {
      // The state that counts is the one after the last answer of the homeserver (attack 39).
      needsNoFactor =
        outcome.userId === first.userId && !(await this.parts.factors.isEnrolled(outcome.userId));
    } finally {
      if (!needsNoFactor) await this.parts.upstream.discard(outcome.grant);
    }
    if (!needsNoFactor) throw new Refusal('hold_ended');
    return this.parts.answers.granted(outcome.answer);
  }

  private async mayMeanEnrolled(signIn: SignIn): Promise<boolean> {
    const { named, foldedNames } = signIn.identity;
    if (!named) return this.parts.factors.anyoneEnrolled();
    const found = await Promise.all(foldedNames.map((name) => this.parts.factors.mayBeEnrolled(name)));
    return found.includes(true);
  }

  /**
   * The readings of a password field, in the order in which they are tried (DESIGN §4): both for everybody, so
   * that failing looks and costs the same for all.
   */
  private async readingsOf(signIn: SignIn, hinted: boolean): Promise<Reading[]> {
    const asSent = this.readingOf(signIn, signIn.password, undefined);
    const appended = await this.appendedCodeOf(signIn);
    if (appended === undefined) return [asSent];
    return hinted ? [this.readingOf(signIn, appended.password, appended), asSent] : [asSent, asSent];
  }

  private async appendedCodeOf(signIn: SignIn): Promise<AppendedCode | undefined> {
    if (signIn.password === undefined || !this.settings.appendedCode) return undefined;
    const appended = splitAppendedCode(signIn.password, this.settings.digits);
    return appended !== undefined && (await this.parts.factors.anyoneEnrolled()) ? appended : undefined;
  }

  private readingOf(
    signIn: SignIn,
    password: string | undefined,
    appended: AppendedCode | undefined,
  ): Reading {
    const joinKeys =
      password === undefined ? undefined : this.parts.holds.joinKeys(signIn.identity, password, signIn.body);
    return { password, appended, joinKeys };
  }

  private async passAppservice(request: ClientRequest, signIn: SignIn, token: string): Promise<Answer> {
    const outcome = await this.parts.upstream.attempt({
      request,
      path: request.path,
      body: signIn.body,
      token,
    });
    if (outcome.kind !== 'granted') return this.parts.answers.refused(outcome.answer, signIn.body);
    const { userId, grant } = outcome;
    try {
      await this.parts.audit.record({
        userId,
        event: 'appservice.login',
        address: request.client.ip,
        deviceId: grant.deviceId,
      });
    } catch (error) {
      await this.parts.upstream.discard(grant);
      throw error;
    }
    return this.parts.answers.granted(outcome.answer);
  }
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
