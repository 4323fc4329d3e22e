import type { AddressLimit } from '../limits/attempt_limit.ts';
import { counted, LANE_RULES, refusalIn } from '../limits/throttle.ts';
import { Refusal } from '../matrix/refusals.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { type LaneStanding, laneStanding } from '../storage/tables/lanes.ts';
import { stillStands } from '../storage/tables/sessions.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type Session, standingOf } from '../uia/session.ts';
import {
  type AtOnce,
  type CodeLookDeps,
  type CodeSource,
  type CodeUnitDeps,
  type Judgement,
  judged,
  lookAt,
  type Match,
  type RefusedCodeReason,
  type ReleaseAtOnce,
  releasing,
  stageOf,
  type Trial,
  type Written,
  wayOf,
  writtenIn,
} from './code_unit.ts';
import { type FactorPassed, passedIn } from './factor_passed.ts';
import type { Presented, PresentedProof } from './presented.ts';

/** A held login that was taken for a session in the unit that accepted its last code. */
class TakenByCode {
  readonly #proof: FactorPassed;

  constructor(
    readonly held: HeldLogin,
    proof: FactorPassed,
  ) {
    this.#proof = proof;
  }

  get proof(): FactorPassed {
    return this.#proof;
  }
}

export type { TakenByCode };

/** What became of a code. */
export type CodeOutcome =
  /** The stage is done in the session: by this code, or by another request at the same moment. */
  | {
      readonly is: 'passed';
      readonly session: Session;
      /** The held login, where it was taken with this code. */
      readonly taken?: TakenByCode | undefined;
    }
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

/** What became of a code in the store; with it the held login may be taken. */
type Attempted =
  | (Written & { readonly taken?: undefined })
  | { readonly is: 'passed'; readonly taken: TakenByCode };

export interface CodeStepDeps extends CodeUnitDeps, CodeLookDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly engine: UiaEngine;
  readonly addressLimit: AddressLimit;
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
   * @throws Refusal codes_wait, codes_shut, limit_exceeded: nothing is told of the code
   */
  async take(
    session: Session,
    presented: Presented | undefined,
    from: CodeSource,
    release?: AtOnce,
  ): Promise<CodeOutcome> {
    from.client.record?.isOf(session.binding.userId, session.deviceId);
    if (presented === undefined) return { is: 'missing', session };
    const { proof } = presented;
    const stage = stageOf(presented);
    const standing = standingOf(session, stage);
    if (standing === 'done') return { is: 'passed', session };
    if (standing === 'out_of_order') return { is: 'out_of_order', session };
    if (proof === undefined) return { is: 'missing', session };
    const outcome = await this.attempt(session, { ...presented, proof }, from, release);
    if (outcome.is === 'passed') {
      const passed = { ...session, completed: [...session.completed, stage] };
      return { is: 'passed', session: passed, taken: outcome.taken };
    }
    if (outcome.is === 'refused') {
      return { is: 'refused', session, isOver: outcome.isOver, reason: outcome.reason };
    }
    const current = await this.deps.engine.find(session.id);
    // Another body was bound to the session meanwhile: this code does not approve that one.
    if (current?.bodyDigest !== session.bodyDigest) return { is: 'gone' };
    const now = { ...current, body: session.body };
    if (outcome.is === 'unasked' && standingOf(now, stage) === 'next') return { is: 'unasked', session: now };
    return this.take(now, presented, from, release);
  }

  /**
   * Accepts the last code of a session that is not in the store, and takes its login, which is not held: in one unit.
   * Undefined where that cannot be, or the unit was lost. Nothing is written or counted then, and nothing told of the
   * code: `take` judges it like others once the login is held. A code that is costly to look at is left to `take`.
   */
  async takeUnheld(
    session: Session,
    presented: Presented,
    from: CodeSource,
    release: ReleaseAtOnce,
  ): Promise<TakenByCode | undefined> {
    const { proof, factor } = presented;
    if (proof === undefined || factor.counter === undefined) return undefined;
    if (standingOf(session, stageOf(presented)) !== 'next') return undefined;
    const { client } = from;
    client.record?.isOf(session.binding.userId, session.deviceId);
    const act = async () => {
      const { trial, verdict } = await lookAt(this.deps, session, { ...presented, proof }, from);
      return verdict.is === 'match' ? this.takeAtOnce(trial, verdict, release) : undefined;
    };
    try {
      const taken = await this.deps.addressLimit.attempt(client, act, () => true);
      if (taken !== undefined) client.record?.checked(factor.kind, 'accepted');
      return taken;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  /** How long the lane of this browser, address or device takes no further code. */
  async waitOf(session: Session, from: CodeSource): Promise<number> {
    const way = wayOf(session, from);
    const { lane } = await this.deps.lanes.of(way);
    const [standing] = await this.deps.storage.read(laneStanding(way.userId, lane, LANE_RULES));
    return standing?.waitMs ?? 0;
  }

  private async attempt(
    session: Session,
    presented: PresentedProof,
    { client, ...from }: CodeSource,
    release: AtOnce | undefined,
  ) {
    const { record } = client;
    const { kind } = presented.factor;
    try {
      const outcome = await this.deps.addressLimit.attempt(
        client,
        () => this.judge(session, presented, { client, ...from }, release),
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

  private async judge(
    session: Session,
    presented: PresentedProof,
    from: CodeSource,
    release: AtOnce | undefined,
  ): Promise<Attempted> {
    const { trial, verdict } = await lookAt(this.deps, session, presented, from);
    // Where one answer is sent many times at once, one request uses the question up; the others fail neither session
    // nor lane.
    if (verdict.is === 'unasked') return verdict;
    const taken = verdict.is === 'match' ? await this.takeAtOnce(trial, verdict, release?.()) : undefined;
    if (taken !== undefined) return { is: 'passed', taken };
    return trial.attempt.counts ? this.writeCounted(trial, verdict) : this.write(trial, verdict);
  }

  /**
   * The shortest way of a sign-in: one unit accepts the code and takes the login. Undefined if it is not the last code,
   * or the unit was lost: nothing is written then.
   */
  private async takeAtOnce(
    trial: Trial,
    verdict: Match,
    release: ReleaseAtOnce | undefined,
  ): Promise<TakenByCode | undefined> {
    const { session, presented } = trial;
    const passed = passedIn({ ...session, completed: [...session.completed, stageOf(presented)] });
    if (passed === undefined || release === undefined) return undefined;
    if (!passed.isFor(release.held.userId) || !release.isWanted()) return undefined;
    const answer = await release.commit(releasing(this.deps, trial, verdict, release));
    return answer.won ? new TakenByCode(release.held, passed) : undefined;
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
