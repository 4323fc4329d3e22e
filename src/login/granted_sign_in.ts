import type { Homeserver } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { Witness } from '../policy/policies.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant, PassingProof } from '../second_factor/grant.ts';
import type { HeldLogins, NewHold } from '../second_factor/held_logins.ts';
import type { JoinedHolds, KeptOrJoined } from '../second_factor/joined_holds.ts';
import { isPassRedeemed, type Passes, type PassRedeemed } from '../second_factor/passes.ts';
import { type OwesEnrolment, type OwesFactor, owes, type Standings } from '../second_factor/standing.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';
import type { Session } from '../uia/session.ts';
import type { CodeAtOnce } from './code_at_once.ts';
import type { HeldSignIn } from './held_sign_in.ts';
import type { LineOutcome } from './line_leases.ts';
import type { Again, LoginAgain } from './login_again.ts';
import type { LoginConversation } from './login_conversation.ts';
import type { LoginBody, Reading } from './readings.ts';

/** What a client asks for at `POST /login`, read. */
export interface SignInRequest {
  readonly request: ClientRequest;
  readonly login: LoginBody;
  readonly auth: PresentedAuth | undefined;
  /** Whether an enrolled user may be meant: the hint of R5, never the decision. */
  readonly hinted: boolean;
  /** Whether the homeserver hears of the wished device and its name only once all is proven (R5). */
  readonly withoutWishes: boolean;
  readonly readings: readonly Reading[];
  /** A session that has passed on another hold, which is gone. */
  readonly passed: Session | undefined;
}

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
  readonly again: LoginAgain;
  readonly holds: HeldLogins;
  readonly joined: JoinedHolds;
  readonly conversation: LoginConversation;
  readonly codeAtOnce: CodeAtOnce;
  readonly exit: Exit;
  readonly passes: Passes;
  readonly addresses: Addresses;
}

/** One reading of a sign-in that the homeserver granted: it is handed out, held, or ended. */
export class GrantedSignIn {
  constructor(
    private readonly deps: GrantedSignInDeps,
    private readonly asked: SignInRequest,
    private readonly reading: Reading,
    private readonly grant: Grant,
  ) {}

  /** Undefined if this reading must not let anyone in. A grant that fails on its way is logged out. */
  async take(): Promise<AskedHomeserver | undefined> {
    let isKept = false;
    try {
      const taken = await this.passOrHold();
      // No one would get this answer; a held login waits for the client's next try.
      if (taken?.answer.is === 'answered') this.asked.request.signal.throwIfAborted();
      isKept = taken !== undefined;
      return taken;
    } finally {
      if (!isKept) await this.abandon();
    }
  }

  private async passOrHold(): Promise<AskedHomeserver | undefined> {
    const standing = await this.deps.standings.of(this.grant.userId, this.witness());
    this.grant.noticeOwner(this.deps.addresses, this.asked.request.client, standing);
    if (standing.is !== 'owes_factor' && !(await this.mayPass())) return undefined;
    if (!owes(standing)) return passedWith(await this.handOut(standing.proof));
    const pass = standing.is === 'owes_factor' ? await this.redeemPass() : undefined;
    if (pass !== undefined) return passedWith(await this.handOut(pass));
    const made = await this.newHold(standing.version);
    const answer = standing.is === 'owes_factor' ? await this.passAtOnce(made, standing) : undefined;
    // Equal sign-ins that wait find no hold to join, and ask one after the other.
    if (answer !== undefined) return { answer: { is: 'answered', answer }, outcome: { is: 'held' } };
    const { reading } = this;
    const { hold, session } = await this.hold(made, standing);
    return { answer: { is: 'held', hold, reading, session }, outcome: { is: 'held' } };
  }

  private witness(): Witness {
    const { request, login } = this.asked;
    return this.grant.witness(this.deps.homeserver, request.client, login.password !== undefined);
  }

  /** False if this grant must not let its user in, or further, though they have no 2FA. */
  private async mayPass(): Promise<boolean> {
    // No one gets in with more than their password (attack 100).
    if (this.reading.appended !== undefined) return false;
    const token = this.loginToken();
    return token === undefined || !(await this.deps.passes.isEnded(token));
  }

  /** A login token that was issued under 2FA stands for it, once. */
  private async redeemPass(): Promise<PassRedeemed | undefined> {
    const token = this.loginToken();
    return token === undefined ? undefined : this.deps.passes.redeem(token, this.grant);
  }

  private loginToken(): string | undefined {
    const { type, body } = this.asked.login;
    return type === TOKEN_LOGIN && typeof body.token === 'string' ? body.token : undefined;
  }

  private async newHold(version: number): Promise<NewHold> {
    const { asked, reading, grant } = this;
    return {
      // A login token or JWT names no one and is good for one login; a password can be tried without end.
      usesAllowance: asked.login.password !== undefined,
      grant,
      password: reading.password,
      joinKeys: reading.joinKeys,
      atEnd: await grant.endOn(chosenDevice(asked), this.deps.homeserver, asked.request.client),
      version,
    };
  }

  /** Undefined where the login has to be held first. */
  private async passAtOnce(made: NewHold, standing: OwesFactor): Promise<Answer | undefined> {
    const { asked, reading } = this;
    if (reading.appended === undefined || asked.passed !== undefined) return undefined;
    return this.deps.codeAtOnce.pass(heldSignIn(asked, reading, this.deps.holds.unheld(made)), standing);
  }

  private async hold(made: NewHold, standing: OwesFactor | OwesEnrolment): Promise<KeptOrJoined> {
    const { asked, reading } = this;
    const kept = await this.deps.joined.keep(
      made,
      asked.request,
      asked.passed === undefined
        ? (held) => this.deps.conversation.opening(heldSignIn(asked, reading, held), standing)
        : undefined,
    );
    if (!kept.isOwn) await this.abandon();
    return kept;
  }

  /** The answer for one who owes nothing more, with the device and the name that were kept back (R5). */
  private async handOut(proof: PassingProof): Promise<Answer> {
    const { request, login, withoutWishes } = this.asked;
    if (withoutWishes) {
      if (login.deviceId !== undefined) return this.logInAgainWithDevice(proof);
      if (login.displayName !== undefined)
        await this.grant.nameDevice(this.deps.homeserver, login.displayName, request.client);
    }
    return this.deps.exit.handOut(this.grant, proof);
  }

  private async logInAgainWithDevice(proof: PassingProof): Promise<Answer> {
    const { login } = this.asked;
    const again = await this.logInAgain();
    // The credential is spent: better the device of the homeserver's choice than none.
    if (again.is === 'impossible') return this.deps.exit.handOut(this.grant, proof);
    await this.deps.upstream.discard(this.grant);
    if (again.is === 'refused') return rebuildError(again.answer, login.body);
    const { grant } = again;
    let passing: PassingProof | undefined;
    try {
      if (grant.userId === this.grant.userId) passing = await this.proofAgain(proof, grant);
    } finally {
      if (passing === undefined) await this.deps.upstream.discard(grant);
    }
    if (passing === undefined) throw new Refusal('hold_ended');
    return this.deps.exit.handOut(grant, passing);
  }

  private async logInAgain(): Promise<Again> {
    const { request, login } = this.asked;
    const call = { request, userId: this.grant.userId, body: login.body };
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

  private abandon(): Promise<void> {
    return this.deps.upstream.abandon(this.grant, chosenDevice(this.asked), this.asked.request.client);
  }
}

/** What the conversation about a held login is told of the sign-in. */
export function heldSignIn(
  { request, login, auth }: SignInRequest,
  { appended }: Reading,
  hold: HeldLogin,
): HeldSignIn {
  return { request, hold, auth, appended, body: login.body, proven: [login.type] };
}

function passedWith(answer: Answer): AskedHomeserver {
  return { answer: { is: 'answered', answer }, outcome: { is: 'passed' } };
}

/** The device that the client chose and the homeserver was told (R5). */
function chosenDevice({ login, withoutWishes }: SignInRequest): string | undefined {
  return withoutWishes ? undefined : login.deviceId;
}
