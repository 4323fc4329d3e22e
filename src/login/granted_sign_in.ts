import type { Homeserver } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { Witness } from '../policy/policies.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant, PassingProof } from '../second_factor/grant.ts';
import { isPassRedeemed, type Passes, type PassRedeemed } from '../second_factor/passes.ts';
import { owes, type Standings } from '../second_factor/standing.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { Session } from '../uia/session.ts';
import { chosenDevice, type GrantedHold, type GrantedReading } from './granted_hold.ts';
import type { LineOutcome } from './line_leases.ts';
import type { Again, LoginAgain } from './login_again.ts';
import type { Reading } from './readings.ts';

/** Where a sign-in stands that the homeserver, or an equal sign-in, has answered. */
export type Step =
  /** `session`: it was opened with the hold. */
  | {
      readonly is: 'held';
      readonly hold: HeldLogin;
      readonly reading: Reading;
      readonly session?: Session | undefined;
    }
  | { readonly is: 'answered'; readonly answer: Answer };

/** What asking the homeserver came to: for this sign-in, and for equal ones that wait. */
export interface AskedHomeserver {
  readonly answer: Step;
  readonly outcome: LineOutcome;
}

export interface GrantedSignInDeps {
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly passes: Passes;
  readonly addresses: Addresses;
  readonly held: GrantedHold;
  readonly handingOut: HandingOut;
}

/** One reading of a sign-in that the homeserver granted: it is handed out, held, or ended. */
export class GrantedSignIn {
  constructor(
    private readonly deps: GrantedSignInDeps,
    private readonly granted: GrantedReading,
  ) {}

  /** Undefined if this reading must not let anyone in. A grant that fails on its way is logged out. */
  async take(): Promise<AskedHomeserver | undefined> {
    let isKept = false;
    try {
      const taken = await this.passOrHold();
      // A client that has gone would not get this answer; a held login waits for its next try.
      if (taken?.answer.is === 'answered') this.granted.asked.request.signal.throwIfAborted();
      isKept = taken !== undefined;
      return taken;
    } finally {
      if (!isKept) await this.abandon();
    }
  }

  private async passOrHold(): Promise<AskedHomeserver | undefined> {
    const { standings, addresses, held } = this.deps;
    const { asked, reading, grant } = this.granted;
    const standing = await standings.of(grant.userId, this.witness());
    grant.noticeOwner(addresses, asked.request.client, standing);
    if (standing.is !== 'owes_factor' && !(await this.mayPass())) return undefined;
    if (!owes(standing)) return passedWith(await this.handOut(standing.proof));
    const pass = standing.is === 'owes_factor' ? await this.redeemPass() : undefined;
    if (pass !== undefined) return passedWith(await this.handOut(pass));
    const made = await held.newHold(this.granted, standing.version);
    const answer =
      standing.is === 'owes_factor' ? await held.passAtOnce(this.granted, made, standing) : undefined;
    // Equal sign-ins that wait find no hold to join, and ask one after the other.
    if (answer !== undefined) return { answer: { is: 'answered', answer }, outcome: { is: 'held' } };
    const { hold, session, isOwn } = await held.hold(this.granted, made, standing);
    if (!isOwn) await this.abandon();
    return { answer: { is: 'held', hold, reading, session }, outcome: { is: 'held' } };
  }

  private witness(): Witness {
    const { request, login } = this.granted.asked;
    return this.granted.grant.witness(this.deps.homeserver, request.client, login.password !== undefined);
  }

  /** False if this grant must not let its user in, or further, though they have no 2FA. */
  private async mayPass(): Promise<boolean> {
    // No one gets in with more than their password (attack 100).
    if (this.granted.reading.appended !== undefined) return false;
    const token = this.loginToken();
    return token === undefined || !(await this.deps.passes.isEnded(token));
  }

  /** A login token that was issued under 2FA stands for it, once. */
  private async redeemPass(): Promise<PassRedeemed | undefined> {
    const token = this.loginToken();
    return token === undefined ? undefined : this.deps.passes.redeem(token, this.granted.grant);
  }

  private loginToken(): string | undefined {
    const { type, body } = this.granted.asked.login;
    return type === TOKEN_LOGIN && typeof body.token === 'string' ? body.token : undefined;
  }

  private handOut(proof: PassingProof): Promise<Answer> {
    return this.deps.handingOut.handOut(this.granted, proof);
  }

  private abandon(): Promise<void> {
    const { asked, grant } = this.granted;
    return this.deps.upstream.abandon(grant, chosenDevice(asked), asked.request.client);
  }
}

export interface HandingOutDeps {
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly again: LoginAgain;
  readonly exit: Exit;
  readonly passes: Passes;
}

/** The answer for one who owes nothing more, with the device and the name that were kept back (R5). */
export class HandingOut {
  constructor(private readonly deps: HandingOutDeps) {}

  async handOut(granted: GrantedReading, proof: PassingProof): Promise<Answer> {
    const { asked, grant } = granted;
    const { request, login } = asked;
    if (asked.withoutWishes) {
      if (login.deviceId !== undefined) return this.logInAgainWithDevice(granted, proof);
      if (login.displayName !== undefined)
        await grant.nameDevice(this.deps.homeserver, login.displayName, request.client);
    }
    return this.deps.exit.handOut(grant, proof);
  }

  private async logInAgainWithDevice(granted: GrantedReading, proof: PassingProof): Promise<Answer> {
    const { exit, upstream } = this.deps;
    const { request, login } = granted.asked;
    const again = await this.logInAgain(granted);
    // The credential is spent: better the device of the homeserver's choice than none.
    if (again.is === 'impossible') return exit.handOut(granted.grant, proof);
    await upstream.discard(granted.grant);
    if (again.is === 'refused') return rebuildError(again.answer, login.body);
    const { grant } = again;
    let answer: Answer | undefined;
    try {
      const passing = grant.userId === granted.grant.userId ? await this.proofAgain(proof, grant) : undefined;
      if (passing === undefined) throw new Refusal('hold_ended');
      // A client that hung up would get nothing.
      request.signal.throwIfAborted();
      answer = exit.handOut(grant, passing);
      return answer;
    } finally {
      if (answer === undefined) await upstream.abandon(grant, login.deviceId, request.client);
    }
  }

  private async logInAgain({ asked: { request, login }, grant }: GrantedReading): Promise<Again> {
    const call = { request, userId: grant.userId, body: login.body };
    if (login.password !== undefined) return this.deps.again.logIn(call);
    try {
      return await this.deps.again.logIn(call);
    } catch (error) {
      if (error instanceof Refusal) return { is: 'impossible' };
      throw error;
    }
  }

  /** What holds for the second login: the state that counts is the one after the last answer of the homeserver (attack 39). */
  private async proofAgain(proof: PassingProof, grant: Grant): Promise<PassingProof | undefined> {
    const { passes, standings } = this.deps;
    if (isPassRedeemed(proof)) return passes.redeemAgain(proof, grant);
    const standing = await standings.of(grant.userId);
    return owes(standing) ? undefined : standing.proof;
  }
}

function passedWith(answer: Answer): AskedHomeserver {
  return { answer: { is: 'answered', answer }, outcome: { is: 'passed' } };
}
