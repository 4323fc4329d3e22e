import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { isSecondFactorStage, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { Presented, PresentedCodes, SentCode } from '../second_factor/presented.ts';
import { when } from '../storage/statement.ts';
import { completeStage } from '../storage/tables/sessions.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { nextStages, type Session, standingOf } from '../uia/session.ts';
import { type FallbackStage, type FallbackStanding, standingAt } from './guarded_page.ts';
import { LeasedAttempt, type LeasedAttemptDeps } from './leased_attempt.ts';
import { isPassword } from './password_probe.ts';

export type ProofOutcome =
  | {
      readonly kind: 'accepted';
      readonly standing: FallbackStanding;
      /** A recovery code was the proof. */
      readonly isRecovery: boolean;
    }
  /** `missing`: there was no code, so nothing was judged. */
  | { readonly kind: 'refused' | 'missing'; readonly standing: FallbackStanding }
  /** It was the last wrong attempt that the session could take. `waitMs`: no further code is taken for so long. */
  | { readonly kind: 'used_up'; readonly waitMs: number }
  /** The session is unknown, has expired, or was ended by another request. */
  | { readonly kind: 'gone' };

const GONE: ProofOutcome = { kind: 'gone' };

/**
 * What fallback pages prove in sessions: the second factor first, then the password, judged at once by the probe and
 * sealed for the one real request, which the client's `{session}` then triggers (R6).
 */
export class GuardedProofs {
  constructor(
    private readonly deps: LeasedAttemptDeps & {
      readonly engine: UiaEngine;
      readonly presented: PresentedCodes;
      readonly codeStep: CodeStep;
      readonly homeserver: Homeserver;
    },
  ) {}

  /** @throws Refusal limit_exceeded, codes_shut */
  async submitCode(request: ClientRequest, at: FallbackStanding, sent: SentCode): Promise<ProofOutcome> {
    if (at.missing !== 'code') return unchanged(at);
    const { session } = at;
    const presented = this.deps.presented.inField(sent, session);
    const outcome = await this.deps.codeStep.take(session, presented && completing(at, presented), request);
    switch (outcome.is) {
      case 'passed':
        return acceptedAt(outcome.session, at.stage, presented?.factor.role === 'backup');
      case 'missing':
        return { kind: 'missing', standing: at };
      case 'refused':
        return outcome.isOver
          ? { kind: 'used_up', waitMs: await this.deps.codeStep.waitOf(session, request) }
          : { kind: 'refused', standing: at };
      case 'unasked':
      case 'out_of_order':
        return { kind: 'refused', standing: at };
      case 'gone':
        return GONE;
    }
  }

  /**
   * @throws Refusal limit_exceeded, no_password, oauth_session, forbidden (the account is locked or deactivated),
   *   unknown_token, homeserver_unclear, homeserver_unreachable, homeserver_slow
   */
  async submitPassword(
    request: ClientRequest,
    at: FallbackStanding,
    password: string,
  ): Promise<ProofOutcome> {
    const { session } = at;
    const { token } = session;
    if (at.missing !== 'password' || token === undefined) return unchanged(at);
    const { userId } = session.binding;
    const attempt = new LeasedAttempt(this.deps);
    const device = { userId, deviceId: session.deviceId };
    // Another request has a password judged: this one was not looked at.
    if (!(await attempt.begin(session, request.client, device))) return unchanged(at);
    try {
      const asking = { request, caller: { token, owner: { userId } } };
      const isRight = await isPassword(this.deps.homeserver, asking, password);
      return await (isRight ? this.accept(attempt, at, password) : this.refuse(attempt, at));
    } catch (error) {
      await attempt.letGo(session, error);
      throw error;
    }
  }

  /** Keeps the password and completes its stage, in one unit. */
  private async accept(
    attempt: LeasedAttempt,
    { session, stage }: FallbackStanding,
    password: string,
  ): Promise<ProofOutcome> {
    const { engine } = this.deps;
    const unit = when(completeStage(session, PASSWORD_STAGE), {
      won: engine.passwordGiven(session, password),
      lost: [],
    });
    const { won } = await attempt.settle(session, unit, false);
    if (won) return acceptedAt({ ...session, completed: [...session.completed, PASSWORD_STAGE] }, stage);
    const current = await engine.find(session.id);
    // Another body was bound to the session meanwhile: this proof does not approve that one.
    return current?.bodyDigest === session.bodyDigest ? acceptedAt(current, stage) : GONE;
  }

  /** Counts the failure against the session; with the last one that it has it ends. */
  private async refuse(attempt: LeasedAttempt, at: FallbackStanding): Promise<ProofOutcome> {
    const failed = this.deps.engine.failed(at.session);
    const [counted, ended] = await attempt.settle(at.session, failed, true);
    if (counted === undefined) return GONE;
    return ended > 0 ? { kind: 'used_up', waitMs: 0 } : { kind: 'refused', standing: at };
  }
}

/** Either kind of code will do, but the client waits for the stage whose page it opened. */
function completing({ session, stage }: FallbackStanding, presented: Presented): Presented {
  const own = presented.factor.stage;
  const completes = [stage, own, ...nextStages(session.flows, session.completed)]
    .filter(isSecondFactorStage)
    .find((each) => standingOf(session, each) === 'next');
  return completes === undefined ? presented : { ...presented, completes };
}

/** Nothing was judged: it goes on where the session stands. */
function unchanged(standing: FallbackStanding): ProofOutcome {
  return { kind: 'accepted', standing, isRecovery: false };
}

function acceptedAt(session: Session, stage: FallbackStage, isRecovery = false): ProofOutcome {
  const standing = standingAt(session, stage);
  return standing === undefined ? GONE : { kind: 'accepted', standing, isRecovery };
}
