import type { Audit } from '../audit/audit.ts';
import type { FactorVerdict } from '../factors/factor.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import type { AddressLimit } from '../limits/address_limit.ts';
import type { CodeWay, Lanes } from '../limits/lanes.ts';
import { type Attempt, accepted, counted, refusalIn } from '../limits/throttle.ts';
import type { ThrottleRecord } from '../limits/throttle_record.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type CommitAnswer, type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { LaneStanding } from '../storage/tables/lanes.ts';
import { completeStage, stillStands } from '../storage/tables/sessions.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type Session, standingOf } from '../uia/session.ts';
import type { Presented, PresentedProof } from './presented.ts';

/** Where a code came from. */
export interface CodeSource {
  readonly client: ClientAddress;
  /** The browser's mark, from its cookie; only the sign-in page knows it. */
  readonly browser?: string;
}

/** Why a code was refused: for the operator only. */
export type RefusedCodeReason = 'wrong_code' | 'spent_code';

/** What became of a code. */
export type CodeOutcome =
  /** The stage is done in the session: by this code, or by another request at the same moment. */
  | { readonly is: 'passed'; readonly session: Session }
  /** Wrong, spent and malformed are one and the same to the client (attack 87). `isOver`: it was the last attempt. */
  | {
      readonly is: 'refused';
      readonly session: Session;
      readonly isOver: boolean;
      readonly reason: RefusedCodeReason;
    }
  /** Nothing was judged or counted. `unasked`: the proof answers a question that is not open any more. */
  | { readonly is: 'missing' | 'unasked' | 'out_of_order'; readonly session: Session }
  /** The session ended meanwhile: the code was not spent for it. */
  | { readonly is: 'gone' };

/** What a unit of work made of a code. `moved`: the session no longer stands where it was read, and nothing is written. */
type Written =
  | { readonly is: 'moved' | 'passed' | 'unasked' }
  | {
      readonly is: 'refused';
      readonly isOver: boolean;
      readonly reason: RefusedCodeReason;
    };

/** What a factor made of a proof that it judged. */
type Judgement = Exclude<FactorVerdict, { readonly is: 'unasked' }>;

/** A code that is being judged. */
interface Trial {
  readonly session: Session;
  readonly presented: PresentedProof;
  readonly way: CodeWay;
  readonly attempt: Attempt;
  readonly whenAccepted: Write;
}

export interface CodeStepDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly engine: UiaEngine;
  readonly lanes: Lanes;
  readonly addressLimit: AddressLimit;
  readonly throttleRecord: ThrottleRecord;
  readonly audit: Audit;
  /** What is written beside a factor that was accepted: it ends what the loss of one had begun. */
  readonly whenAccepted: (userId: string, client: ClientAddress) => Promise<Write>;
}

/**
 * The step of a session in which a code is judged, the same for all doors. What decides is one unit of work: the
 * attempt is counted in its lane, the code spent, the stage done, and both put on record; or it fails the session.
 * A unit that finds the session elsewhere than it was read writes nothing: of one code sent many times at once one
 * is accepted, and the others fail neither session nor lane.
 */
export class CodeStep {
  constructor(private readonly deps: CodeStepDeps) {}

  /**
   * @param presented undefined if there is no code
   * @throws Refusal totp_waits, totp_shut, limit_exceeded: nothing is told of the code
   */
  async take(session: Session, presented: Presented | undefined, from: CodeSource): Promise<CodeOutcome> {
    from.client.record?.isOf(session.binding.userId, session.deviceId);
    if (presented === undefined) return { is: 'missing', session };
    const { proof } = presented;
    const stage = stageOf(presented);
    const standing = standingOf(session, stage);
    if (standing === 'done') return { is: 'passed', session };
    if (standing === 'out_of_order') return { is: 'out_of_order', session };
    if (proof === undefined) return { is: 'missing', session };
    const outcome = await this.attempt(session, { ...presented, proof }, from);
    if (outcome.is === 'passed') {
      return { is: 'passed', session: { ...session, completed: [...session.completed, stage] } };
    }
    if (outcome.is === 'refused') {
      return { is: 'refused', session, isOver: outcome.isOver, reason: outcome.reason };
    }
    const current = await this.deps.engine.find(session.id);
    // Another body than the one that this request is about was bound meanwhile: that one is not approved.
    if (current?.bodyDigest !== session.bodyDigest) return { is: 'gone' };
    const now = { ...current, body: session.body };
    if (outcome.is === 'unasked' && standingOf(now, stage) === 'next') return { is: 'unasked', session: now };
    return this.take(now, presented, from);
  }

  private async attempt(session: Session, presented: PresentedProof, { client, ...from }: CodeSource) {
    const { record } = client;
    const { kind } = presented.factor;
    try {
      const outcome = await this.deps.addressLimit.attempt(
        client,
        () => this.judge(session, presented, { client, ...from }),
        ({ is }) => is !== 'refused',
      );
      if (outcome.is === 'passed') record?.checked(kind, 'accepted');
      if (outcome.is === 'refused')
        record?.checked(kind, outcome.reason === 'spent_code' ? 'spent' : 'wrong');
      return outcome;
    } catch (error) {
      if (error instanceof Refusal && error.outcome.is === 'limited') record?.checked(kind, 'limited');
      throw error;
    }
  }

  private async judge(session: Session, presented: PresentedProof, from: CodeSource): Promise<Written> {
    const way = wayOf(session, from);
    const { counter } = presented.factor;
    const counts = counter !== undefined;
    const { userId } = way;
    const attempt = { userId, ...(await this.deps.lanes.of(way, counter)), counts };
    const tried = { userId, session: session.idHash, network: networkOf(from.client.ip) };
    const verdict = await presented.factor.verify(tried, presented.proof);
    // Of one answer sent many times at once one has the question; the others fail neither session nor lane.
    if (verdict.is === 'unasked') return verdict;
    const whenAccepted = verdict.is === 'match' ? await this.deps.whenAccepted(userId, from.client) : [];
    const trial = { session, presented, way, attempt, whenAccepted };
    return counts ? this.writeCounted(trial, verdict) : this.write(trial, verdict);
  }

  private async writeCounted(trial: Trial, verdict: Judgement): Promise<Written> {
    const { session, attempt, way } = trial;
    const unit = when(stillStands(session), {
      won: counted(attempt, judged(this.deps, trial, verdict)),
      lost: [],
    });
    const answer = await this.deps.storage.commit([way.userId], unit);
    if (!answer.won) return { is: 'moved' };
    const lane = answer.after;
    if (!lane.won) return this.refuse(trial, lane.after[1][0]);
    return writtenIn(lane.after, verdict);
  }

  private async write(trial: Trial, verdict: Judgement): Promise<Written> {
    const unit = when(stillStands(trial.session), { won: judged(this.deps, trial, verdict), lost: [] });
    const answer = await this.deps.storage.commit([trial.way.userId], unit);
    return answer.won ? writtenIn(answer.after, verdict) : { is: 'moved' };
  }

  private async refuse({ way, presented }: Trial, standing: LaneStanding | undefined): Promise<never> {
    await this.deps.throttleRecord.wait(way, presented.factor.stage);
    throw refusalIn(standing);
  }
}

/** What is written of a code, the session standing where it was read. */
function judged({ engine, audit, throttleRecord }: CodeStepDeps, trial: Trial, verdict: Judgement) {
  const { session, presented, way, attempt, whenAccepted } = trial;
  const { factor } = presented;
  const { userId, client, deviceId } = way;
  const entry = { userId, client, deviceId };
  const detail = { place: way.place, lane: kindOf(attempt) };
  const failed = [
    engine.failed(session),
    audit.recorded({ ...entry, event: 'factor.refused', detail: { ...detail, factor: factor.kind } }),
    attempt.counts ? throttleRecord.shut(way, factor.stage, attempt) : [],
  ] as const;
  if (verdict.is === 'no_match') return failed;
  const { suspicion } = verdict;
  const suspected =
    suspicion === undefined
      ? []
      : when(suspicion.note, {
          won: audit.recorded({
            ...entry,
            event: `${factor.kind}.${suspicion.deed}`,
            detail: verdict.detail,
          }),
          lost: [],
        });
  const passed = [
    completeStage(session, stageOf(presented)),
    accepted(attempt),
    verdict.also ?? [],
    whenAccepted,
    audit.recorded({
      ...entry,
      event: verdict.event ?? `${factor.kind}.used`,
      detail: { ...detail, ...verdict.detail },
    }),
  ] as const;
  return when(verdict.spend, { won: passed, lost: [...failed, suspected] as const });
}

function writtenIn(answer: CommitAnswer<ReturnType<typeof judged>>, verdict: Judgement): Written {
  const failed = 'won' in answer ? (answer.won ? undefined : answer.after) : answer;
  if (failed === undefined) return { is: 'passed' };
  const [[, ended]] = failed;
  // A right code that was not won was spent by another request at the same moment.
  const isSpent = verdict.is === 'match' || verdict.why === 'spent';
  return { is: 'refused', isOver: ended > 0, reason: isSpent ? 'spent_code' : 'wrong_code' };
}

/** The stage that a code completes. */
function stageOf({ completes, factor }: Presented): string {
  return completes ?? factor.stage;
}

function wayOf({ binding, deviceId }: Session, { client, browser }: CodeSource): CodeWay {
  const place = binding.tokenHash === null ? 'login' : 'session';
  return { userId: binding.userId, place, client, deviceId, browser };
}

/** What the owner and the audit are told of a lane. */
function kindOf({ lane }: Attempt): string {
  return lane.split(':', 1)[0] ?? lane;
}
