import type { LineKey } from '../second_factor/claimed_identity.ts';
import type { LiveProcesses } from '../storage/tables/processes.ts';
import { SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Pause } from '../system/pause.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { failedOutcome, type LeftInLine, type LineLeases, type LineOutcome } from './line_leases.ts';

/** After this time an equal sign-in asks the homeserver as well, whatever became of the first. */
const LEASE_MS = 30 * SECOND;
/** The time between two looks at another process's sign-in, in ms: at least the first, up to both together. */
const SHORTEST_LOOK_MS = 25;
const LOOK_JITTER_MS = 75;

/** A sign-in under way has taken longer than its lease. */
const LATE: unique symbol = Symbol('late');

/** A password sign-in that stands in line. */
export interface StandingInLine<T> {
  readonly key: LineKey;
  /** Joins what an equal sign-in has left; undefined if there is nothing. */
  join(): Promise<T | undefined>;
  /** Asks the homeserver. */
  ask(): Promise<{ readonly answer: T; readonly outcome: LineOutcome }>;
  /**
   * The answer to a refusal that an equal sign-in received.
   * @throws Refusal where the door refuses by throwing
   */
  refuse(outcome: LineOutcome): T;
}

/**
 * Sign-ins with equal name and password ask the homeserver one after the other (R12), whether or not that user
 * has 2FA on. Equal sign-ins cost one login, a refusal is asked for once, and the time that an answer takes says
 * nothing about the user (attack 147). Those in one process share a promise, those in several a lease in the store,
 * which is not written while one process is alone.
 */
export class SignInLine {
  /** What the sign-in that is under way will leave, by line key. It never rejects. */
  private readonly underWay = new Map<string, Promise<LeftInLine | undefined>>();

  constructor(
    private readonly deps: {
      readonly leases: LineLeases;
      /** Those that may have sign-ins in the same lines. */
      readonly processes: Pick<LiveProcesses, 'isAlone'>;
      readonly random: RandomSource;
      readonly pause: Pause;
      readonly log: Log;
    },
  ) {}

  /** @throws Refusal what asking the homeserver ends in, for this sign-in or for an equal one before it */
  async ask<T>(standing: StandingInLine<T>): Promise<T> {
    const { lines } = standing.key;
    for (let before = this.before(lines); before !== undefined; before = this.before(lines)) {
      const left = await Promise.race([before, this.deps.pause(LEASE_MS).then((): typeof LATE => LATE)]);
      if (left === LATE) {
        // The first that has waited this long replaces a sign-in that the homeserver does not answer.
        this.over(lines, before);
        continue;
      }
      const answer = await this.afterAnother(standing, left);
      if (answer !== undefined) return answer;
    }
    const turn = this.askAmongProcesses(standing);
    const left = turn.then(
      ({ left }) => left,
      (error: unknown) => leftByError(standing, error),
    );
    for (const line of lines) this.underWay.set(line, left);
    try {
      return (await turn).answer;
    } finally {
      this.over(lines, left);
    }
  }

  /** What is under way in one of these lines: while the active key changes an equal sign-in may stand in one of two. */
  private before(lines: readonly string[]): Promise<LeftInLine | undefined> | undefined {
    return lines.map((line) => this.underWay.get(line)).find((left) => left !== undefined);
  }

  private over(lines: readonly string[], left: Promise<LeftInLine | undefined>): void {
    for (const line of lines) if (this.underWay.get(line) === left) this.underWay.delete(line);
  }

  /** Undefined: this sign-in has to ask for itself, in its turn. */
  private async afterAnother<T>(
    standing: StandingInLine<T>,
    left: LeftInLine | undefined,
  ): Promise<T | undefined> {
    switch (left?.outcome.is) {
      case 'passed':
        return (await standing.ask()).answer;
      case 'failed':
        return standing.refuse(left.outcome);
      case 'refused':
        return standing.key.exact.includes(left.exact) ? standing.refuse(left.outcome) : undefined;
      default:
        return standing.join();
    }
  }

  /** Asks with the lease of this line, or hears from the process that has it. */
  private async askAmongProcesses<T>(
    standing: StandingInLine<T>,
  ): Promise<{ answer: T; left: LeftInLine | undefined }> {
    if (await this.deps.processes.isAlone()) {
      const { answer, outcome } = await standing.ask();
      return { answer, left: leftBy(standing, outcome) };
    }
    const holder = randomId(this.deps.random);
    for (;;) {
      const other = await this.takeAll(standing.key.lines, holder);
      if (other === undefined) return this.askWithLease(standing, holder);
      const left = await this.waitFor(other.line, other.holder);
      const answer = await this.afterAnother(standing, left);
      if (answer !== undefined) return { answer, left };
    }
  }

  /**
   * Takes the lease of each line, in the order that is the same for all: of two processes that know different keys,
   * or whose clocks differ, both know one of them. Else it gives back what it took, and answers who has which.
   */
  private async takeAll(
    lines: readonly string[],
    holder: string,
  ): Promise<{ readonly line: string; readonly holder: string } | undefined> {
    for (const [place, line] of lines.entries()) {
      const other = await this.deps.leases.take(line, holder, LEASE_MS);
      if (other === undefined) continue;
      for (const taken of lines.slice(0, place)) await this.deps.leases.leave(taken, holder, undefined);
      return { line, holder: other };
    }
    return undefined;
  }

  private async askWithLease<T>(
    standing: StandingInLine<T>,
    holder: string,
  ): Promise<{ answer: T; left: LeftInLine }> {
    let left: LeftInLine | undefined;
    try {
      const { answer, outcome } = await this.joinOrAsk(standing);
      left = leftBy(standing, outcome);
      return { answer, left };
    } catch (error) {
      left = leftByError(standing, error);
      throw error;
    } finally {
      // The answer need not wait: a lease that could not be given back ends by itself.
      const leaving = standing.key.lines.map((line) => this.deps.leases.leave(line, holder, left));
      Promise.all(leaving).catch((error: unknown) => {
        this.deps.log.warn(
          { err: error },
          'the turn of a sign-in could not be given back; it ends by itself',
        );
      });
    }
  }

  /** Another process may have had the lease since this sign-in looked for what it could join. */
  private async joinOrAsk<T>(standing: StandingInLine<T>): ReturnType<StandingInLine<T>['ask']> {
    const joined = await standing.join();
    return joined === undefined ? standing.ask() : { answer: joined, outcome: { is: 'held' } };
  }

  /** What the holder of the lease leaves; undefined if it left nothing or its time is over. */
  private async waitFor(line: string, holder: string): Promise<LeftInLine | undefined> {
    for (;;) {
      const found = await this.deps.leases.look(line, holder);
      if (found.is === 'over') return found.left;
      await this.deps.pause(
        SHORTEST_LOOK_MS + (this.deps.random.bytes(1).readUInt8() * LOOK_JITTER_MS) / 255,
      );
    }
  }
}

function leftBy({ key }: StandingInLine<unknown>, outcome: LineOutcome): LeftInLine {
  return { exact: key.exact[0] ?? '', outcome };
}

function leftByError(standing: StandingInLine<unknown>, error: unknown): LeftInLine | undefined {
  const outcome = failedOutcome(error);
  return outcome && leftBy(standing, outcome);
}
