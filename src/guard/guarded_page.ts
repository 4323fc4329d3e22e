import type { Factor } from '../factors/factor.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { findRoute } from '../http/route_index.ts';
import { validator } from '../matrix/registry.ts';
import { isSecondFactorStage, PASSWORD_STAGE, type SecondFactorStage, SSO_STAGE } from '../matrix/wire.ts';
import type { AskedFactor, Challenges } from '../second_factor/challenges.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { Presented, PresentedCodes, SentCode } from '../second_factor/presented.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { codesLeftIn } from '../storage/tables/recovery_sets.ts';
import { completeStage } from '../storage/tables/sessions.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, nextStages, type Session, standingOf } from '../uia/session.ts';
import { LeasedAttempt, type LeasedAttemptDeps } from './leased_attempt.ts';
import { shownSession } from './homeserver_stages.ts';
import { isPassword } from './password_probe.ts';

/** The stages that have a fallback page. */
export type FallbackStage = typeof SSO_STAGE | SecondFactorStage;

/** What a session still wants from its fallback page. */
export interface FallbackStanding {
  readonly session: Session;
  readonly stage: FallbackStage;
  readonly missing: 'code' | 'password' | 'provider' | 'nothing';
  /** Known to be the reader only once a factor was proven on this page (attack 64). */
  readonly provenUser: string | undefined;
}

export interface FactorsAsked {
  readonly factors: readonly Factor[];
  readonly asked: readonly AskedFactor[];
}

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
 * What fallback pages do to sessions: the second factor first, then the password, judged at once by the probe and
 * sealed for the one real request, which the client's `{session}` then triggers (R6).
 */
export class GuardedPage {
  constructor(
    private readonly deps: LeasedAttemptDeps & {
      readonly engine: UiaEngine;
      readonly presented: PresentedCodes;
      readonly challenges: Challenges;
      readonly codeStep: CodeStep;
      readonly homeserver: Homeserver;
      readonly storage: Pick<Storage, 'factors'>;
    },
  ) {}

  /** Undefined if there is no such session, or nothing for this page in it: the page shows both alike (attack 64). */
  async find(sessionId: string, stage: FallbackStage): Promise<FallbackStanding | undefined> {
    const session = await this.deps.engine.find(sessionId);
    return session && isSoundSession(session) ? standingAt(session, stage) : undefined;
  }

  /**
   * The homeserver's own session, where one of our sessions was led on to single sign-on there (R6): its page is
   * the homeserver's. Undefined for all others.
   */
  async homeserverSession(sessionId: string): Promise<string | undefined> {
    const session = await this.deps.engine.find(sessionId);
    if (session === undefined) return undefined;
    const homeserverStages = await this.deps.leases.find(session);
    if (homeserverStages === undefined) return undefined;
    return standingOf(shownSession(session, homeserverStages), SSO_STAGE) === 'next' ? homeserverStages.session : undefined;
  }

  /** What the page asks for: the factors, and the questions of those that ask one. */
  async factorsAsked({ session }: FallbackStanding): Promise<FactorsAsked> {
    const { challenges } = this.deps;
    return { factors: challenges.nextIn(session), asked: await challenges.of(session) };
  }

  /**
   * What the device that asked is called: its id where it has no name, or the homeserver does not say. Undefined for an
   * access token that belongs to none.
   */
  async askedBy(request: ClientRequest, { session }: FallbackStanding): Promise<string | undefined> {
    const { deviceId, token } = session;
    if (deviceId === null) return undefined;
    const name = token && (await this.deps.homeserver.deviceName(token, deviceId, request));
    return name ?? deviceId;
  }

  /** How many recovery codes are left to the user of a session that is proven. */
  async recoveryCodesLeft({ session }: FallbackStanding): Promise<number> {
    const set = await this.deps.storage.factors.recoverySet(session.binding.userId);
    return set === undefined ? 0 : codesLeftIn(set);
  }

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
    // Another body than the one that this request is about was bound meanwhile: that one is not approved.
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

function standingAt(session: Session, stage: FallbackStage): FallbackStanding | undefined {
  const missing = missingFrom(session, stage);
  const proven = session.completed.some(isSecondFactorStage);
  return missing && { session, stage, missing, provenUser: proven ? session.binding.userId : undefined };
}

function missingFrom(session: Session, stage: FallbackStage): FallbackStanding['missing'] | undefined {
  // A sign-in has no fallback page: no client opens one, and approving it would let another client in.
  if (session.binding.tokenHash === null) return undefined;
  const { flows, completed } = session;
  if (isSatisfied(flows, completed)) return 'nothing';
  const codeIsDone = completed.some(isSecondFactorStage);
  const next = nextStages(flows, completed);
  if (!codeIsDone && next.some(isSecondFactorStage)) return 'code';
  if (stage !== SSO_STAGE) return codeIsDone ? 'nothing' : undefined;
  if (next.includes(PASSWORD_STAGE)) return session.token === undefined ? undefined : 'password';
  // Only sessions of accounts without a password have no flow with one.
  return next.includes(SSO_STAGE) && !flows.flat().includes(PASSWORD_STAGE) ? 'provider' : undefined;
}

/** Whether what a session was opened for can be carried out: no page asks for an approval of anything else (attack 149). */
function isSoundSession({ binding, body, bodyDigest }: Session): boolean {
  // Too large to be kept: it was looked at when it was bound.
  if (body === undefined && bodyDigest !== null) return true;
  const guard = findRoute(binding.target)?.guard;
  return guard === undefined || validator(guard.shape)(body ?? {});
}
