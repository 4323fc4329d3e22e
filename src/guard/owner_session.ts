import type { AppendedCode } from '../factors/factors.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE, SSO_STAGE } from '../matrix/wire.ts';
import {
  challenge,
  codeRefused,
  codeWanted,
  PASSWORD_REFUSED,
  refusalOf,
  WRONG_ORDER,
} from '../second_factor/challenge_answer.ts';
import type { CodeOutcome, CodeStep } from '../second_factor/code_step.ts';
import type { LoginDeed } from '../second_factor/own_action.ts';
import type { Presented, PresentedCodes } from '../second_factor/presented.ts';
import type { StepUps } from '../second_factor/step_ups.ts';
import { type Write, when } from '../storage/statement.ts';
import { finishSession, stillStands } from '../storage/tables/sessions.ts';
import { requireOwnName } from '../uia/allowed_stages.ts';
import { type PresentedAuth, presentedAuth } from '../uia/presented_auth.ts';
import { requireBody, type Session, standingOf } from '../uia/session.ts';
import { shownSession } from './homeserver_stages.ts';
import { LeasedAttempt, type LeasedAttemptDeps } from './leased_attempt.ts';
import type { PasswordSessions } from './password_sessions.ts';
import {
  answered,
  challenged,
  letThrough,
  type OwnerStep,
  type Pending,
  pendingPassword,
  takeHomeserverStage,
} from './pending.ts';
import {
  isBegunUnderStepUp,
  isProven,
  type OwnedRequest,
  SessionOfRequest,
  type SessionOfRequestDeps,
} from './session_of_request.ts';
import type { Verdict } from './verdict.ts';

/** What sessions of owners are made with. */
export interface OwnerSessionDeps extends SessionOfRequestDeps, LeasedAttemptDeps {
  readonly codes: { readonly presented: PresentedCodes; readonly step: CodeStep };
  readonly passwordSessions: PasswordSessions;
  readonly stepUps: StepUps;
}

/**
 * The User-Interactive Authentication of one request by a token's owner: the second factor first, then the password,
 * which the homeserver alone judges (R6, R7; docs/security_model.md, promise 3). `advance` leads as far as `auth` goes; what is pending then is
 * asked of the homeserver, and `settle` writes what it said. In between the request has the session's lease.
 */
export class OwnerSession {
  private readonly attempt: LeasedAttempt;
  private readonly sessions: SessionOfRequest;

  constructor(
    private readonly deps: OwnerSessionDeps,
    private readonly owned: OwnedRequest,
  ) {
    this.attempt = new LeasedAttempt(deps);
    this.sessions = new SessionOfRequest(deps, owned);
  }

  /**
   * Takes the request's `auth` as far as it goes. After a `Pending` one of `settle`, `spend` or `letGo` must follow.
   * @throws Refusal oauth_session, foreign_session, other_user, stage_not_offered, bad_json, limit_exceeded
   */
  async advance(): Promise<OwnerStep> {
    const { caller, request, body } = this.owned;
    const auth = presentedAuth(body);
    await this.deps.passwordSessions.require(caller.token, request);
    const { session, isNew } = await this.sessions.for(auth);
    if (auth === undefined || isNew) return answered(await this.state(session));
    const step = await this.takeStage(session, auth);
    return step.is === 'answer' ? step : this.lease(step);
  }

  /** What follows from the homeserver's verdict: stage, failure, lease and `also` in one unit. */
  async settle({ session, body }: Pending, verdict: Verdict, also: readonly Write[] = []): Promise<Answer> {
    const writes = [this.writesOf(session, verdict), also];
    await this.attempt.settle(session, writes, verdict.is !== 'accepted');
    switch (verdict.is) {
      case 'accepted':
        return letThrough(relayAnswer(verdict.answer, body), session);
      case 'wrong_password':
        return challenge(session, PASSWORD_REFUSED);
      case 'more_stages':
        return challenge(shownSession(session, verdict.homeserverStages));
      case 'stage_refused':
        return challenge(shownSession(session, verdict.homeserverStages), verdict.failure);
      case 'factor_wanted':
        return challenge(await this.sessions.open(body, 'two_factor'));
      case 'unheard':
        return this.state(session);
      case 'unrelated':
        return verdict.answer;
    }
  }

  /** Uses the proof up for what is done here: true for exactly one request. */
  async spend({ session }: Pending): Promise<boolean> {
    const { page, requirement } = this.owned;
    const underStepUp = requirement === 'stepped_up' && isBegunUnderStepUp(session) ? page : undefined;
    return (await this.attempt.spend(session, finishSession(session, underStepUp?.sessionId))) !== undefined;
  }

  /** The same, and keeps a login in one unit with it: `lost` if another request has used the proof up. */
  async spendOn({ session }: Pending, { keep, also }: LoginDeed): Promise<'lost' | 'not_kept' | number> {
    const kept = when(keep, { won: also, lost: [] });
    const unit = when(finishSession(session, undefined), { won: kept, lost: [] });
    const spent = await this.attempt.settle(session, unit, false);
    if (!spent.won) return 'lost';
    return spent.after.won ? spent.after.row.createdAt : 'not_kept';
  }

  /** Leaves a session whose homeserver, or store, did not answer: the request may come again. */
  letGo({ session }: Pending, error: unknown): Promise<void> {
    return this.attempt.letGo(session, error);
  }

  /** A session of its own, to begin again with what `pending` was about. */
  async again({ body }: Pending): Promise<Answer> {
    return challenge(await this.sessions.open(body, this.owned.requirement));
  }

  /**
   * The other way to read the password field; undefined if there is one way only. Both count as one attempt in the
   * session, and as two for address and device.
   * @throws Refusal limit_exceeded
   */
  otherReading({ session, asTyped }: Pending): Pending | undefined {
    if (asTyped === undefined) return undefined;
    const { request, caller } = this.owned;
    this.deps.limits.address.takeFurther(request.client);
    this.deps.limits.device.takeFurther(caller.owner);
    return pendingPassword(session, asTyped);
  }

  private writesOf(session: Session, verdict: Verdict): Write {
    const { engine, leases } = this.deps;
    // Wrong proofs count against the session, not against the account (attack 52).
    const failed = when(stillStands(session), { won: engine.failed(session), lost: [] });
    switch (verdict.is) {
      case 'accepted':
        return finishSession(session);
      case 'wrong_password':
        return failed;
      case 'more_stages':
        return leases.keepHomeserverStages(session, verdict.homeserverStages);
      case 'stage_refused':
        return [failed, leases.keepHomeserverStages(session, verdict.homeserverStages)];
      default:
        return [];
    }
  }

  /** One request of a session at a time goes to the homeserver; the others hear where the session stands. */
  private async lease(pending: Pending): Promise<OwnerStep> {
    const { request, caller } = this.owned;
    const { session, homeserverStages } = pending;
    // Stages of the homeserver's own prove no password, and clients may have to ask how far they are.
    const device = homeserverStages === undefined ? caller.owner : undefined;
    const hasLease = await this.attempt.begin(session, request.client, device);
    return hasLease ? pending : answered(await this.state(session));
  }

  /** Where a session stands. */
  private async state(session: Session): Promise<Answer> {
    const stages = await this.deps.leases.find(session);
    return challenge(stages === undefined ? session : shownSession(session, stages));
  }

  private async takeStage(session: Session, auth: PresentedAuth): Promise<OwnerStep> {
    const { type } = auth;
    const stages = await this.deps.leases.find(session);
    if (stages !== undefined) return takeHomeserverStage(session, stages, auth);
    if (isProven(session, this.owned.requirement)) return pendingPassword(session, session.password ?? '');
    if (type === undefined || type === SSO_STAGE || session.completed.includes(type)) {
      return challenged(session);
    }
    if (!session.flows.some((flow) => flow.includes(type))) throw new Refusal('stage_not_offered');
    const presented = this.deps.codes.presented.inAuth(auth);
    return presented === undefined
      ? this.takePassword(session, auth.fields)
      : this.takeCode(session, presented);
  }

  private async takeCode(session: Session, presented: Presented): Promise<OwnerStep> {
    const outcome = await this.judge(session, presented);
    switch (outcome.is) {
      case 'passed':
        return isProven(outcome.session, this.owned.requirement)
          ? pendingPassword(outcome.session, '')
          : challenged(outcome.session);
      case 'missing':
      case 'gone':
        return challenged(session);
      case 'out_of_order':
        return challenged(session, WRONG_ORDER);
      case 'unasked':
      case 'refused':
        return challenged(session, refusalOf(outcome, presented.factor));
    }
  }

  /** A code that is accepted for a request of the account page begins a step-up there. */
  private async judge(session: Session, presented: Presented): Promise<CodeOutcome> {
    const outcome = await this.deps.codes.step.take(session, presented, this.owned.request);
    const { page } = this.owned;
    if (page !== undefined && outcome.is === 'passed') {
      await this.deps.stepUps.start(page, presented.factor.kind, session);
    }
    return outcome;
  }

  private async takePassword(session: Session, fields: JsonObject): Promise<OwnerStep> {
    requireOwnName(fields, this.owned.caller.owner.userId);
    const { password } = fields;
    if (typeof password !== 'string') {
      throw new Refusal('missing_param', { text: '`auth.password` is missing.' });
    }
    // Checked before the code behind the password is spent.
    requireBody(session);
    if (standingOf(session, PASSWORD_STAGE) !== 'next') return this.takeBoth(session, password);
    const appended = this.owned.requirement === 'fresh_sign_in' ? this.appendedTo(password) : undefined;
    return appended === undefined
      ? pendingPassword(session, password)
      : pendingPassword(session, appended.password, password);
  }

  private appendedTo(field: string): AppendedCode | undefined {
    return this.deps.ways.appendedCode ? this.deps.codes.presented.inPassword(field) : undefined;
  }

  /** A one-shot password whose end is a code counts for both stages (docs/clients.md); else its client is told so. */
  private async takeBoth(session: Session, field: string): Promise<OwnerStep> {
    const appended = this.appendedTo(field);
    if (appended === undefined || standingOf(session, appended.factor.stage) !== 'next') {
      const hasTyped = this.deps.codes.presented.isTypedIn(session.flows);
      return challenged(session, codeWanted(this.deps.ways, hasTyped));
    }
    const outcome = await this.judge(session, appended);
    if (outcome.is === 'passed') return pendingPassword(outcome.session, appended.password);
    return challenged(session, codeRefused(outcome.is === 'refused' ? outcome.reason : 'wrong_code'));
  }
}
