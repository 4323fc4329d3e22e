import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { FactorStore } from '../storage/stores.ts';
import type { LoginAnswers } from './login_answers.ts';
import type { SignIn } from './sign_in.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';

/** A sign-in whose user turned out to have no 2FA. */
export interface SignInWithoutFactor {
  readonly request: ClientRequest;
  readonly signIn: SignIn;
  /** Whether an enrolled user might have been meant, so that device and name were kept back (R5). */
  readonly hinted: boolean;
}

/** Logins that are handed out without a second factor: of users without 2FA, and of listed application services. */
export class LoginsWithoutFactor {
  constructor(
    private readonly deps: {
      readonly factors: FactorStore;
      readonly homeserver: Homeserver;
      readonly upstream: UpstreamLogin;
      readonly answers: LoginAnswers;
      readonly audit: Audit;
    },
  ) {}

  /** The answer for a user without 2FA, with the device and the name that were kept back. */
  async handOut(attempt: SignInWithoutFactor, granted: GrantedLogin): Promise<Answer> {
    const { request, signIn, hinted } = attempt;
    if (!hinted || signIn.password === undefined) return this.deps.answers.granted(granted.answer);
    if (signIn.deviceId !== undefined) return this.logInAgainWithDevice(attempt, granted);
    const { accessToken, deviceId } = granted.grant;
    if (signIn.displayName !== undefined && deviceId !== undefined) {
      await this.deps.homeserver.nameDevice(accessToken, deviceId, signIn.displayName, request.client);
    }
    return this.deps.answers.granted(granted.answer);
  }

  /** The login of a listed application service, whoever it is for; it is put on record first. */
  async passService(request: ClientRequest, signIn: SignIn, token: string): Promise<Answer> {
    const outcome = await this.deps.upstream.logIn({
      request,
      path: request.path,
      body: signIn.body,
      token,
    });
    if (outcome.kind !== 'granted') return this.deps.answers.refused(outcome.answer, signIn.body);
    const { userId, grant } = outcome;
    try {
      await this.deps.audit.record({
        userId,
        event: 'appservice.login',
        address: request.client.ip,
        deviceId: grant.deviceId,
      });
    } catch (error) {
      await this.deps.upstream.discard(grant);
      throw error;
    }
    return this.deps.answers.granted(outcome.answer);
  }

  private async logInAgainWithDevice(attempt: SignInWithoutFactor, first: GrantedLogin): Promise<Answer> {
    const { request, signIn } = attempt;
    const outcome = await this.deps.upstream.logIn({ request, path: request.path, body: signIn.body });
    await this.deps.upstream.discard(first.grant);
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return this.deps.answers.refused(outcome.answer, signIn.body);
    let needsNoFactor = false;
    try {
      // The state that counts is the one after the last answer of the homeserver (attack 39).
      needsNoFactor =
        outcome.userId === first.userId && !(await this.deps.factors.isEnrolled(outcome.userId));
    } finally {
      if (!needsNoFactor) await this.deps.upstream.discard(outcome.grant);
    }
    if (!needsNoFactor) throw new Refusal('hold_ended');
    return this.deps.answers.granted(outcome.answer);
  }
}
