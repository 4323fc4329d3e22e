import type { Factors } from '../factors/factors.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { ENROLMENT_STAGE, type Flow, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import {
  challenge,
  codeRefused,
  codeWanted,
  type OfferedWays,
  refusalOf,
  SESSION_UNKNOWN,
  WRONG_ORDER,
} from '../second_factor/challenge_answer.ts';
import type { CodeOutcome, CodeStep, TakenByCode } from '../second_factor/code_step.ts';
import { passedIn } from '../second_factor/factor_passed.ts';
import { enrolmentFlows, type OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Presented, PresentedCodes } from '../second_factor/presented.ts';
import { type OwesEnrolment, type OwesFactor, owes, type Standings } from '../second_factor/standing.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { UiaEngine } from '../uia/engine.ts';
import type { Opening, OpeningSession } from '../uia/opening.ts';
import { type PresentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSatisfied, requireBody, type Session, type SessionBinding, standingOf } from '../uia/session.ts';
import type { HeldSignIn, Resumed } from './held_sign_in.ts';
import type { SecondLogin } from './second_login.ts';

export interface LoginConversationDeps {
  readonly engine: UiaEngine;
  readonly secondFactors: Factors;
  readonly standings: Standings;
  readonly codes: { readonly presented: PresentedCodes; readonly step: CodeStep };
  readonly secondLogin: SecondLogin;
  readonly ways: OfferedWays;
  readonly enrolment: OwedEnrolment;
}

/**
 * The User-Interactive Authentication of a login whose grant is held: challenges, judges codes and hands the
 * login out to the first request that passes.
 */
export class LoginConversation {
  constructor(private readonly deps: LoginConversationDeps) {}

  /**
   * Answers a sign-in whose grant has just been held or joined. Undefined if another request took the hold: begin again.
   * @param opened the session that was opened with the hold; without one it is opened now
   */
  async begin(signIn: HeldSignIn, opened?: Session): Promise<Answer | undefined> {
    if (opened !== undefined) return this.present(signIn, opened);
    const passedBefore = signIn.appended && (await this.deps.engine.ofHold(signIn.hold.id, signIn.body));
    if (passedBefore && isSatisfied(passedBefore.flows, passedBefore.completed)) {
      return this.finish(signIn.request, passedBefore, signIn.hold);
    }
    const standing = await this.deps.standings.of(signIn.hold.userId);
    // 2FA was turned off at this moment, which has ended the hold.
    if (!owes(standing)) throw new Refusal('hold_ended');
    const [binding, opening] = await this.beginning(signIn, standing);
    return this.present(signIn, await this.deps.engine.open(binding, opening));
  }

  /**
   * The session of a sign-in whose grant is to be held, for the unit that keeps it.
   * @param standing what its user owes, and under which version of the account
   * @throws Refusal hold_ended if 2FA was turned off at this moment
   */
  async opening(signIn: HeldSignIn, standing: OwesFactor | OwesEnrolment): Promise<OpeningSession> {
    const [binding, opening] = await this.beginning(signIn, standing);
    return this.deps.engine.opening(binding, opening);
  }

  /** Goes on with what the sign-in itself presents. */
  private async present(signIn: HeldSignIn, session: Session): Promise<Answer | undefined> {
    const { auth } = signIn;
    if (waitsForSetUp(session)) return this.askForSetUp(session);
    const presented = signIn.appended ?? (auth && this.deps.codes.presented.inAuth(auth));
    const outcome = await this.takeCode(signIn.request, session, signIn.hold, presented);
    switch (outcome.is) {
      case 'passed':
        return this.finish(signIn.request, outcome.session, signIn.hold, outcome.taken);
      case 'missing':
        // A client that does not know our stages shows `error`, and some loop without an errcode.
        if (auth !== undefined) return challenge(session);
        return challenge(
          session,
          codeWanted(this.deps.ways, this.deps.codes.presented.isTypedIn(session.flows)),
        );
      case 'unasked':
      case 'refused':
        return challenge(session, refusalOf(outcome, presented?.factor));
      case 'out_of_order':
        return challenge(session, codeRefused('wrong_code', presented?.factor));
      case 'gone':
        return undefined;
    }
  }

  /** Goes on with the session that the request names. */
  async resume(request: ClientRequest, body: JsonObject, auth: PresentedAuth): Promise<Resumed> {
    const repeated = withoutAuth(body);
    const binding = { target: targetOf(request), userId: null, tokenHash: null };
    const session = await this.deps.engine.resume(binding, auth.session ?? '', repeated);
    if (session === undefined || session.holdId === null) return this.unknown(repeated);
    requireBody(session);
    const hold = session.held;
    if (hold === undefined) return this.holdGone(session, repeated);
    const answer = await this.step(request, session, hold, auth);
    return answer ? { kind: 'answer', answer } : this.holdGone(session, repeated);
  }

  private async step(
    request: ClientRequest,
    session: Session,
    hold: HeldLogin,
    auth: PresentedAuth,
  ): Promise<Answer | undefined> {
    if (isSatisfied(session.flows, session.completed)) return this.finish(request, session, hold);
    // The set-up has requests of its own: here the client asks what became of it.
    if (waitsForSetUp(session)) return this.askForSetUp(session);
    if (auth.type === undefined || session.completed.includes(auth.type)) return challenge(session);
    const presented = this.deps.codes.presented.inAuth(auth);
    if (presented === undefined) throw new Refusal('stage_not_offered');
    const outcome = await this.takeCode(request, session, hold, presented);
    switch (outcome.is) {
      case 'passed':
        return this.finish(request, outcome.session, hold, outcome.taken);
      case 'missing':
        return challenge(session);
      case 'unasked':
      case 'refused':
        return challenge(session, refusalOf(outcome, presented.factor));
      case 'out_of_order':
        return challenge(session, WRONG_ORDER);
      case 'gone':
        // Another request of this session has the login. Beginning again would have the spent code judged once more.
        return this.sessionUnknown();
    }
  }

  /** @throws Refusal hold_ended if nothing is to be set up any more: the policy is another by now */
  private async askForSetUp(session: Session): Promise<Answer> {
    const standing = await this.deps.standings.of(session.binding.userId);
    if (standing.is !== 'owes_enrolment') throw new Refusal('hold_ended');
    return this.deps.enrolment.challenge(session, standing);
  }

  /**
   * Hands out `hold` to a session that passed on another hold of the same user, which is gone.
   * Undefined if another sign-in took this one as well.
   */
  async finishOn(request: ClientRequest, passed: Session, hold: HeldLogin): Promise<Answer | undefined> {
    if (passed.binding.userId !== hold.userId) throw new Refusal('hold_ended');
    return this.finish(request, passed, hold);
  }

  private takeCode(
    request: ClientRequest,
    session: Session,
    held: HeldLogin,
    presented: Presented | undefined,
  ): Promise<CodeOutcome> {
    const body = session.body ?? {};
    const release = () => this.deps.secondLogin.atOnce({ request, held, body });
    return this.deps.codes.step.take(session, presented, request, release);
  }

  /** @param taken the held login, where it was taken with the last code */
  private async finish(
    request: ClientRequest,
    session: Session,
    hold: HeldLogin,
    taken?: TakenByCode,
  ): Promise<Answer | undefined> {
    if (taken !== undefined) return this.deps.secondLogin.giveOut(request, session.body ?? {}, taken);
    const proof = passedIn(session);
    if (proof === undefined) return challenge(session);
    return this.deps.secondLogin.finish({ request, held: hold, body: session.body ?? {}, proof });
  }

  /** The version was looked up before the stages: if they change meanwhile, the session opens nothing. */
  private async beginning(
    signIn: HeldSignIn,
    standing: OwesFactor | OwesEnrolment,
  ): Promise<[SessionBinding, Opening]> {
    const { hold, request, proven } = signIn;
    const { version } = standing;
    const flows =
      standing.is === 'owes_enrolment'
        ? enrolmentFlows(proven)
        : (await this.deps.secondFactors.stagesOf(hold.userId, standing.enrolled)).map(
            (stage): Flow => [...proven, stage],
          );
    // 2FA was turned off at this moment, which has ended the hold.
    if (flows.length === 0) throw new Refusal('hold_ended');
    const opening = {
      flows,
      completed: proven,
      body: signIn.body,
      holdId: hold.id,
      version,
      client: request.client,
      endsAt: hold.expiresAt,
    };
    return [{ target: targetOf(request), userId: hold.userId, tokenHash: null }, opening];
  }

  /** Without 2FA there is nothing to go on with: only a request with the whole login signs in (attack 39). */
  private async holdGone(session: Session, repeated: JsonObject): Promise<Resumed> {
    const standing = await this.deps.standings.of(session.binding.userId);
    const isOwing = owes(standing);
    if (!isOwing && typeof repeated.type !== 'string') throw new Refusal('hold_ended');
    const current = await this.deps.engine.find(session.id);
    // Its login went to another request of this session: what it passed counts once. Or factors or password were
    // changed: what it passed does not count.
    if (isOwing && current?.version !== standing.version) {
      return { kind: 'answer', answer: this.sessionUnknown() };
    }
    const body = (current ?? session).body ?? {};
    // Where 2FA is off by now, what was passed under it opens nothing: the homeserver judges the whole login.
    const isPassed = isOwing && current !== undefined && isSatisfied(current.flows, current.completed);
    return { kind: 'begin_again', body, ...(isPassed && { passed: current }) };
  }

  /** An unknown session tells nothing: with a body the sign-in begins again, without one the client learns the flows. */
  private unknown(body: JsonObject): Resumed {
    if (typeof body.type === 'string') return { kind: 'begin_again', body };
    return { kind: 'answer', answer: this.sessionUnknown() };
  }

  private sessionUnknown(): Answer {
    const flows = this.deps.secondFactors.offered.map(({ stage }) => [PASSWORD_STAGE, stage]);
    return challenge({ id: this.deps.engine.unusedId(), flows, completed: [] }, SESSION_UNKNOWN);
  }
}

function waitsForSetUp(session: Session): boolean {
  return standingOf(session, ENROLMENT_STAGE) === 'next';
}

function targetOf(request: ClientRequest): string {
  return `${request.method} ${request.path}`;
}
