import type { AuditRecord } from './chain.ts';
import { StoreUnavailable } from './errors.ts';
import type { CommitAnswer, Driver, Entry, Unit, Write } from './statement.ts';

/** What the store is asked: units of work, questions, and whether it is there. */
export type StoreOperation = 'commit' | 'read' | 'check';

/** Hears what becomes of the store's work. */
export interface StoreWatch {
  readonly ticks: () => number;
  /** It took so long, in milliseconds. */
  answered(operation: StoreOperation, ms: number): void;
  failed(error: StoreUnavailable): void;
  /** A line of the audit was committed. */
  recorded(record: AuditRecord): void;
}

/** The driver, watched: one place measures the store, and knows what was put on record once it is durable. */
export function watchedDriver(driver: Driver, watch: StoreWatch): Driver {
  async function watched<T>(operation: StoreOperation, work: () => Promise<T>): Promise<T> {
    const begun = watch.ticks();
    try {
      const answer = await work();
      watch.answered(operation, watch.ticks() - begun);
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable) watch.failed(error);
      throw error;
    }
  }
  return {
    commit: async <const U extends Unit>(accounts: readonly string[], unit: U): Promise<CommitAnswer<U>> => {
      const answer = await watched('commit', () => driver.commit(accounts, unit));
      for (const { record } of entriesIn(unit, answer)) watch.recorded(record);
      return answer;
    },
    read: (query) => watched('read', () => driver.read(query)),
    pool: () => driver.pool?.(),
    aside: () => {
      const aside = driver.aside?.();
      return aside && watchedDriver(aside, watch);
    },
    check: () => watched('check', () => driver.check()),
    close: () => driver.close(),
  };
}

/** The entries that a unit wrote, by its answer: of a branch those of the side that was taken. */
function* entriesIn(unit: Unit, answer: unknown): Generator<Entry> {
  if (isList(unit)) {
    const answers = answer as readonly unknown[];
    for (const [index, each] of unit.entries()) yield* entriesIn(each, answers[index]);
  } else if (unit.does === 'branch') {
    const { won, after } = answer as { readonly won: boolean; readonly after: unknown };
    const taken = won ? unit.won : unit.lost;
    if (taken !== 'undo') yield* entriesIn(taken, after);
  } else if (unit.does === 'enter') {
    yield unit;
  }
}

function isList(unit: Unit): unit is readonly Write[] {
  return Array.isArray(unit);
}
