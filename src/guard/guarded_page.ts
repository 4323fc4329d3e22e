import type { Factor } from '../factors/factor.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { findRoute } from '../http/route_index.ts';
import { validator } from '../matrix/registry.ts';
import { isSecondFactorStage, PASSWORD_STAGE, type SecondFactorStage, SSO_STAGE } from '../matrix/wire.ts';
import type { AskedFactor, Challenges } from '../second_factor/challenges.ts';
import type { Storage } from '../storage/storage.ts';
import { codesLeftIn } from '../storage/tables/recovery_sets.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, nextStages, type Session, standingOf } from '../uia/session.ts';
import { type SessionLeases, shownSession } from './homeserver_stages.ts';

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

/** What fallback pages read of sessions. */
export class GuardedPage {
  constructor(
    private readonly deps: {
      readonly engine: UiaEngine;
      readonly leases: SessionLeases;
      readonly challenges: Challenges;
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
    return standingOf(shownSession(session, homeserverStages), SSO_STAGE) === 'next'
      ? homeserverStages.session
      : undefined;
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
}

/** Undefined if there is nothing for this page in the session. */
export function standingAt(session: Session, stage: FallbackStage): FallbackStanding | undefined {
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
