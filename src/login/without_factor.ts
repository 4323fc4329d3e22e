import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { ServiceListed } from '../second_factor/appservices.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { StandingPasses, Standings } from '../second_factor/standing.ts';
import type { LoginBody } from './login_body.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';

/** A sign-in whose user turned out to have no 2FA. */
export interface SignInWithoutFactor {
  readonly request: ClientRequest;
  readonly signIn: LoginBody;
  /** Whether an enrolled user might have been meant, so that device and name were kept back (R5). */
  readonly hinted: boolean;
}

/** Logins that are handed out without a second factor: of users without 2FA, and of listed application services. */
export class LoginsWithoutFactor {
  constructor(
    private readonly deps: {
      readonly standings: Standings;
      readonly homeserver: Homeserver;
      readonly upstream: UpstreamLogin;
      readonly exit: Exit;
      readonly audit: Audit;
    },
  ) {}

  /** The answer for a user without 2FA, with the device and the name that were kept back. */
  async handOut(
    attempt: SignInWithoutFactor,
    { grant }: GrantedLogin,
    proof: StandingPasses,
  ): Promise<Answer> {
    const { request, signIn, hinted } = attempt;
    if (hinted && signIn.password !== undefined) {
      if (signIn.deviceId !== undefined) return this.logInAgainWithDevice(attempt, grant);
      if (signIn.displayName !== undefined)
        await grant.nameDevice(this.deps.homeserver, signIn.displayName, request.client);
    }
    return this.deps.exit.handOut(grant, proof);
  }

  /** The login of a listed application service, for any user; it is put on record first. */
  async passService(request: ClientRequest, signIn: LoginBody, service: ServiceListed): Promise<Answer> {
    const outcome = await this.deps.upstream.logIn({
      request,
      path: request.path,
      body: signIn.body,
      token: service.token,
    });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return rebuildError(outcome.answer, signIn.body);
    const { grant } = outcome;
    try {
      await this.deps.audit.record({
        userId: grant.userId,
        event: 'appservice.login',
        address: request.client.ip,
        deviceId: grant.deviceId,
      });
    } catch (error) {
      await this.deps.upstream.discard(grant);
      throw error;
    }
    return this.deps.exit.handOut(grant, service);
  }

  private async logInAgainWithDevice(attempt: SignInWithoutFactor, first: Grant): Promise<Answer> {
    const { request, signIn } = attempt;
    const outcome = await this.deps.upstream.logIn({ request, path: request.path, body: signIn.body });
    await this.deps.upstream.discard(first);
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return rebuildError(outcome.answer, signIn.body);
    const { grant } = outcome;
    let proof: StandingPasses | undefined;
    try {
      // The state that counts is the one after the last answer of the homeserver (attack 39).
      const standing = await this.deps.standings.of(grant.userId);
      if (standing.is === 'passes' && grant.userId === first.userId) proof = standing.proof;
    } finally {
      if (proof === undefined) await this.deps.upstream.discard(grant);
    }
    if (proof === undefined) throw new Refusal('hold_ended');
    return this.deps.exit.handOut(grant, proof);
  }
}
