import { entering } from '../entering.ts';
import type { Branch, Decision, Effect, Entry, Query, Sql, Unit, Values, Write } from '../statement.ts';
import { type NumberedStatement, numbered } from './statement_text.ts';

/** What PostgreSQL answers to one statement. */
export interface Answer {
  readonly rows: readonly object[];
  /** How many rows it changed, or found. */
  readonly rowCount: number | null;
}

export type Run = (statement: NumberedStatement) => Promise<Answer>;

/** Thrown through a unit to have all of it rolled back; it never leaves this folder. */
export class Undo extends Error {}

/** A unit of work in an open transaction. Its statements are sent one after the other. */
export class RunningUnit {
  /** The entries of the audit that were met so far and are not written yet. */
  private entries: Entry[] = [];

  /** @param now ms since the epoch, for `:now` */
  constructor(
    private readonly run: Run,
    private readonly now: number,
  ) {}

  /**
   * Runs it, and answers as `CommitAnswer` says.
   * @throws Undo if its decision was lost and it must not write anything
   */
  async write(unit: Unit): Promise<unknown> {
    if (isList(unit)) return this.writeInOrder(unit);
    switch (unit.does) {
      case 'decide':
        return this.decide(unit);
      case 'effect':
        return (await this.send(unit)).rowCount ?? 0;
      case 'ask':
        return (await this.send(unit)).rows;
      case 'enter':
        return this.entries.push(unit) && 1;
      case 'branch':
        return this.branch(unit);
    }
  }

  /**
   * Writes the entries of the audit, behind everything else. Another unit of this process that has entries waits until
   * this one is committed or undone: it would wait for the row of the chain otherwise, and find its head changed.
   * @returns to be called then
   */
  async enter(): Promise<() => void> {
    const [first] = this.entries;
    if (first === undefined) return () => undefined;
    const end = await first.chain.turn();
    try {
      await this.enterAll();
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  private async enterAll(): Promise<void> {
    const asking = entering(this.entries, true);
    this.entries = [];
    for (let step = asking.next(); step.done !== true; ) {
      step = asking.next(await this.rowsOf(step.value));
    }
  }

  private async rowsOf(asked: Query<object> | Decision<object> | Effect): Promise<readonly object[]> {
    if (asked.does !== 'decide') return (await this.send(asked)).rows;
    const row = await this.decide(asked);
    return row === undefined ? [] : [row];
  }

  private async writeInOrder(writes: readonly Write[]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const each of writes) answers.push(await this.write(each));
    return answers;
  }

  private async decide(decision: { readonly sql: Sql; readonly values: Values }) {
    const { rows, rowCount } = await this.send(decision);
    return (rowCount ?? 0) > 0 ? (rows[0] ?? {}) : undefined;
  }

  private async branch({ on, won, lost }: Branch<unknown, Unit, Write | 'undo'>): Promise<unknown> {
    const row = await this.decide(on);
    if (row !== undefined) return { won: true, row, after: await this.write(won) };
    if (lost === 'undo') throw new Undo();
    return { won: false, after: await this.write(lost) };
  }

  private send({ sql, values }: Pick<Query<unknown>, 'sql' | 'values'>): Promise<Answer> {
    return this.run(numbered(sql, values, this.now));
  }
}

function isList(unit: Unit): unit is readonly Write[] {
  return Array.isArray(unit);
}
