import type { Audit } from '../audit/audit.ts';
import type { FactorVerdict } from '../factors/factor.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import type { CodeWay, Lanes } from '../limits/lanes.ts';
import { type Attempt, accepted, acceptedUncounted, LANE_RULES } from '../limits/throttle.ts';
import type { ThrottleRecord } from '../limits/throttle_record.ts';
import { type CommitAnswer, type Unit, type Write, when, whenBoth } from '../storage/statement.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { admitCode, takeHoldByCode } from '../storage/tables/releases.ts';
import { completeStage, endSession } from '../storage/tables/sessions.ts';
import type { UiaEngine } from '../uia/engine.ts';
import type { Session } from '../uia/session.ts';
import type { Presented, PresentedProof } from './presented.ts';

/** Where a code came from. */
export interface CodeSource {
  readonly client: ClientAddress;
  /** The browser's mark, from its cookie; only the sign-in page knows it. */
  readonly browser?: string;
}

/** Why a code was refused: for the operator only. */
export type RefusedCodeReason = 'wrong_code' | 'spent_code';

/** What a unit of work made of a code. `moved`: the session no longer stands where it was read, and nothing is written. */
export type Written =
  | { readonly is: 'moved' | 'passed' | 'unasked' }
  | {
      readonly is: 'refused';
      readonly isOver: boolean;
      readonly reason: RefusedCodeReason;
    };

/** What a factor made of a proof that it judged. */
export type Judgement = Exclude<FactorVerdict, { readonly is: 'unasked' }>;

/** A proof that is right if its `spend` is won. */
export type Match = Extract<FactorVerdict, { readonly is: 'match' }>;

/** A code that is being judged. */
export interface Trial {
  readonly session: Session;
  readonly presented: PresentedProof;
  readonly way: CodeWay;
  readonly attempt: Attempt;
  /** What is written beside a factor that was accepted. */
  readonly whenAccepted: Write;
}

/** A login that is given out in the unit that accepts the last code of its session. */
export interface ReleaseAtOnce {
  readonly held: HeldLogin;
  /**
   * Set where neither the login nor its session is in the store: the version of the account under which the factor is
   * owed.
   */
  readonly unheldUnder: number | undefined;
  /** What is written with it. */
  readonly also: readonly Write[];
  /** False: its client has hung up, and the login is to stay for the next try. */
  isWanted(): boolean;
  /** @throws StoreUnavailable */
  commit<const U extends Unit>(unit: U): Promise<CommitAnswer<U>>;
}

/** Undefined where more than the code is left to prove. It is called only when a code is right. */
export type AtOnce = () => ReleaseAtOnce | undefined;

export interface CodeUnitDeps {
  readonly engine: Pick<UiaEngine, 'failed'>;
  readonly audit: Audit;
  readonly throttleRecord: ThrottleRecord;
}

export interface CodeLookDeps {
  readonly lanes: Lanes;
  /** What is written beside a factor that was accepted: it ends a recovery that the loss of a factor had begun. */
  readonly whenAccepted: (userId: string, client: ClientAddress) => Promise<Write>;
}

/** Has the factor look at a code. Nothing is written or counted of it yet. */
export async function lookAt(
  { lanes, whenAccepted }: CodeLookDeps,
  session: Session,
  presented: PresentedProof,
  from: CodeSource,
): Promise<{ readonly trial: Trial; readonly verdict: FactorVerdict }> {
  const way = wayOf(session, from);
  const { userId } = way;
  const { factor, proof } = presented;
  const attempt = { userId, ...(await lanes.of(way, factor.counter)), counts: factor.counter !== undefined };
  const tried = { userId, session: session.idHash, network: networkOf(from.client.ip) };
  const verdict = await factor.verify(tried, proof);
  const also = verdict.is === 'match' ? await whenAccepted(userId, from.client) : [];
  return { trial: { session, presented, way, attempt, whenAccepted: also }, verdict };
}

/** What is written of a code, the session standing where it was read. */
export function judged({ engine, audit, throttleRecord }: CodeUnitDeps, trial: Trial, verdict: Judgement) {
  const { session, presented, way, attempt } = trial;
  const detail = { place: way.place, lane: kindOf(attempt) };
  const failed = [
    engine.failed(session),
    audit.recorded({
      ...entryOf(trial),
      event: 'factor.refused',
      detail: { ...detail, factor: presented.factor.kind },
    }),
    attempt.counts ? throttleRecord.shut(way, presented.factor.stage, attempt) : [],
  ] as const;
  if (verdict.is === 'no_match') return failed;
  const passed = [
    completeStage(session, stageOf(presented)),
    accepted(attempt),
    verdict.also ?? [],
    trial.whenAccepted,
    recordOfMatch(audit, trial, verdict),
  ] as const;
  return when(verdict.spend, { won: passed, lost: [...failed, suspected(audit, trial, verdict)] as const });
}

function entryOf({ way: { userId, client, deviceId } }: Trial) {
  return { userId, client, deviceId };
}

function recordOfMatch(audit: Audit, trial: Trial, verdict: Match): readonly Write[] {
  const { presented, way, attempt } = trial;
  return audit.recorded({
    ...entryOf(trial),
    event: verdict.event ?? `${presented.factor.kind}.used`,
    detail: { place: way.place, lane: kindOf(attempt), ...verdict.detail },
  });
}

function suspected(audit: Audit, trial: Trial, { suspicion, detail }: Match): Write {
  if (suspicion === undefined) return [];
  const event = `${trial.presented.factor.kind}.${suspicion.deed}` as const;
  return when(suspicion.note, { won: audit.recorded({ ...entryOf(trial), event, detail }), lost: [] });
}

/**
 * What is written of the last code of a sign-in whose login is given out with it: all of it, or nothing, and then
 * `judged` says what became of the code.
 */
export function releasing(
  { audit }: Pick<CodeUnitDeps, 'audit'>,
  trial: Trial,
  verdict: Match,
  { held, unheldUnder, also }: ReleaseAtOnce,
) {
  const { session, attempt } = trial;
  const lane = attempt.counts ? { lane: attempt.lane, rules: LANE_RULES } : undefined;
  const isHeld = unheldUnder === undefined;
  const taking = isHeld ? takeHoldByCode(session, held, lane) : admitCode(held.userId, unheldUnder, lane);
  return whenBoth(taking, verdict.spend, [
    isHeld ? endSession(session.idHash) : [],
    acceptedUncounted(attempt),
    verdict.also ?? [],
    trial.whenAccepted,
    recordOfMatch(audit, trial, verdict),
    also,
  ]);
}

export function writtenIn(answer: CommitAnswer<ReturnType<typeof judged>>, verdict: Judgement): Written {
  const failed = 'won' in answer ? (answer.won ? undefined : answer.after) : answer;
  if (failed === undefined) return { is: 'passed' };
  const [[, ended]] = failed;
  // A right code that was not won was spent by another request at the same moment.
  const isSpent = verdict.is === 'match' || verdict.why === 'spent';
  return { is: 'refused', isOver: ended > 0, reason: isSpent ? 'spent_code' : 'wrong_code' };
}

export function wayOf({ binding, deviceId }: Session, { client, browser }: CodeSource): CodeWay {
  const place = binding.tokenHash === null ? 'login' : 'session';
  return { userId: binding.userId, place, client, deviceId, browser };
}

/** The stage that a code completes. */
export function stageOf({ completes, factor }: Presented): string {
  return completes ?? factor.stage;
}

/** What the owner and the audit are told of a lane. */
function kindOf({ lane }: Attempt): string {
  return lane.split(':', 1)[0] ?? lane;
}
