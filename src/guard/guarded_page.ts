import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { AddressLimit } from '../limits/address_limit.ts';
import type { DeviceLimit } from '../limits/device_limit.ts';
import { isSecondFactorStage, PASSWORD_STAGE, type SecondFactorStage, SSO_STAGE } from '../matrix/wire.ts';
import type { AskedFactor, Challenges } from '../second_factor/challenges.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { Presented, PresentedCodes } from '../second_factor/presented.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, nextStages, type Session, standingOf } from '../uia/session.ts';
import { type SessionLeases, shownSession } from './onward.ts';
import { isPassword } from './password_probe.ts';

/** The stages that have a fallback page. */
export type FallbackStage = typeof SSO_STAGE | SecondFactorStage;

/** What a session still wants from its fallback page. */
export interface FallbackStanding {
  readonly session: Session;
  readonly stage: FallbackStage;
  readonly missing: 'code' | 'password' | 'nothing';
  /** Known to be the reader only once a factor was proven on this page (attack 64). */
  readonly provenUser: string | undefined;
}

export interface FactorsAsked {
  readonly kinds: readonly string[];
  readonly asked: readonly AskedFactor[];
}

export type ProofOutcome =
  /** `missing`: there was no code, so nothing was judged. */
  | { readonly kind: 'accepted' | 'refused' | 'missing'; readonly standing: FallbackStanding }
  /** The session is unknown, has expired, or had too many wrong attempts. */
  | { readonly kind: 'gone' };

const GONE: ProofOutcome = { kind: 'gone' };

/**
 * What fallback pages do to sessions: the second factor first, then the password, judged at once by the probe and
 * sealed for the one real request, which the client's `{session}` then triggers (R6).
 */
export class GuardedPage {
  constructor(
    private readonly parts: {
      readonly engine: UiaEngine;
      readonly presented: PresentedCodes;
      readonly challenges: Challenges;
      readonly codeStep: CodeStep;
      readonly addressLimit: AddressLimit;
      readonly deviceLimit: DeviceLimit;
      readonly leases: SessionLeases;
      readonly homeserver: Homeserver;
      /** Whether what a session was opened for can be carried out. */
      readonly isSound: (session: Session) => boolean;
    },
  ) {}

  /** Undefined if there is no such session, or nothing for this page in it: the page shows both alike (attack 64). */
  async find(sessionId: string, stage: FallbackStage): Promise<FallbackStanding | undefined> {
    const session = await this.parts.engine.find(sessionId);
    return session && this.parts.isSound(session) ? standingAt(session, stage) : undefined;
  }

  /**
   * The homeserver's own session, where one of our sessions was led on to single sign-on there (R6): its page is
   * the homeserver's. Undefined for all others.
   */
  async homeserverSession(sessionId: string): Promise<string | undefined> {
    const session = await this.parts.engine.find(sessionId);
    if (session === undefined) return undefined;
    const onward = await this.parts.leases.find(session);
    if (onward === undefined) return undefined;
    return standingOf(shownSession(session, onward), SSO_STAGE) === 'next' ? onward.session : undefined;
  }

  /** What the page asks for: the kinds of factors, and the questions of those that ask one. */
  async factorsAsked({ session }: FallbackStanding): Promise<FactorsAsked> {
    const { challenges } = this.parts;
    return { kinds: challenges.kindsIn(session), asked: await challenges.of(session) };
  }

  /** @throws Refusal limit_exceeded, totp_shut */
  async submitCode(
    request: ClientRequest,
    at: FallbackStanding,
    { kind, typed }: { readonly kind: string; readonly typed: string },
  ): Promise<ProofOutcome> {
    if (at.missing !== 'code') return { kind: 'accepted', standing: at };
    const { session } = at;
    const presented = this.parts.presented.inField(typed, kind);
    const outcome = await this.parts.codeStep.take(session, presented && completing(at, presented), request);
    switch (outcome.is) {
      case 'passed':
        return acceptedAt(outcome.session, at.stage);
      case 'missing':
        return { kind: 'missing', standing: at };
      case 'refused':
        return outcome.isOver ? GONE : { kind: 'refused', standing: at };
      case 'out_of_order':
        return { kind: 'refused', standing: at };
      case 'gone':
        return GONE;
    }
  }

  /** @throws Refusal limit_exceeded, no_password, oauth_session, homeserver_unclear, homeserver_unreachable, homeserver_slow */
  async submitPassword(
    request: ClientRequest,
    at: FallbackStanding,
    password: string,
  ): Promise<ProofOutcome> {
    if (at.missing !== 'password') return { kind: 'accepted', standing: at };
    const { session } = at;
    const { addressLimit, deviceLimit } = this.parts;
    const device = { userId: session.binding.userId, deviceId: session.deviceId };
    const judge = () => this.judgeAlone(request, at, password);
    const isFine = (judged: ProofOutcome | undefined) => judged === undefined || judged.kind === 'accepted';
    const limited = () => deviceLimit.attempt(device, judge, isFine);
    const outcome = await addressLimit.attempt(request.client, limited, isFine);
    // Another request has a password judged: this one was not looked at.
    return outcome ?? { kind: 'accepted', standing: at };
  }

  /** Undefined if another request has the session's lease. */
  private async judgeAlone(
    request: ClientRequest,
    at: FallbackStanding,
    password: string,
  ): Promise<ProofOutcome | undefined> {
    const { leases } = this.parts;
    if (!(await leases.take(at.session))) return undefined;
    try {
      return await this.judgePassword(request, at, password);
    } finally {
      await leases.settle(at.session, []);
    }
  }

  private async judgePassword(
    request: ClientRequest,
    at: FallbackStanding,
    password: string,
  ): Promise<ProofOutcome> {
    const { session } = at;
    const { token, binding } = session;
    if (token === undefined) return GONE;
    const caller = { token, owner: { userId: binding.userId } };
    if (!(await isPassword(this.parts.homeserver, { request, caller }, password))) return this.refuse(at);
    return (await this.parts.engine.rememberPassword(session, password))
      ? this.complete(at, PASSWORD_STAGE)
      : GONE;
  }

  private async complete(at: FallbackStanding, stage: string): Promise<ProofOutcome> {
    const completion = await this.parts.engine.complete(at.session, stage);
    return completion.outcome === 'gone' ? GONE : acceptedAt(completion.session, at.stage);
  }

  private async refuse(at: FallbackStanding): Promise<ProofOutcome> {
    const wasLast = await this.parts.engine.countFailure(at.session);
    return wasLast ? GONE : { kind: 'refused', standing: at };
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

function acceptedAt(session: Session, stage: FallbackStage): ProofOutcome {
  const standing = standingAt(session, stage);
  return standing === undefined ? GONE : { kind: 'accepted', standing };
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
  return next.includes(PASSWORD_STAGE) && session.token !== undefined ? 'password' : undefined;
}
