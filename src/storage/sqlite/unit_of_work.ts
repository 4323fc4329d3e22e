import { entering } from '../entering.ts';
import type { Branch, Entry, Query, Sql, Unit, Write } from '../statement.ts';
import type { Connection } from './connection.ts';

/** Thrown through a unit to have all of it rolled back; it never leaves this folder. */
export class Undo extends Error {}

/**
 * Runs a unit of work in the transaction that is open, and answers as `CommitAnswer` says.
 * @param now ms since the epoch, for `:now`
 * @throws Undo if its decision was lost and it must not write anything
 */
export function runUnit(db: Connection, unit: Unit, now: number): unknown {
  const running = { db, now, entries: [] };
  const answer = run(running, unit);
  enterAll(running);
  return answer;
}

const NO_ROWS: readonly object[] = [];
const ONE_ROW: readonly object[] = [{}];

/** A unit that is run. */
interface Running {
  readonly db: Connection;
  readonly now: number;
  /** Those of the audit that were met so far. */
  readonly entries: Entry[];
}

function run(running: Running, unit: Unit): unknown {
  if (isList(unit)) return unit.map((each) => run(running, each));
  const { db, now } = running;
  switch (unit.does) {
    case 'decide':
      return db.decide(textOf(unit.sql), unit.values, now);
    case 'effect':
      return db.run(textOf(unit.sql), unit.values, now);
    case 'ask':
      return runQuery(db, unit, now);
    case 'enter':
      return running.entries.push(unit) && 1;
    case 'branch':
      return runBranch(running, unit);
  }
}

function enterAll({ db, now, entries }: Running): void {
  const asking = entering(entries, false);
  for (let step = asking.next(); step.done !== true; ) {
    const { value } = step;
    if (value.does === 'ask') step = asking.next(runQuery(db, value, now));
    else step = asking.next(db.run(textOf(value.sql), value.values, now) > 0 ? ONE_ROW : NO_ROWS);
  }
}

/** Asks; `now` is in ms since the epoch. */
export function runQuery<Row>(db: Connection, { sql, values }: Query<Row>, now: number): Row[] {
  return db.all<Row>(textOf(sql), values, now);
}

function runBranch(running: Running, { on, won, lost }: Branch<unknown, Unit, Write | 'undo'>): unknown {
  const row = running.db.decide(textOf(on.sql), on.values, running.now);
  if (row !== undefined) return { won: true, row, after: run(running, won) };
  if (lost === 'undo') throw new Undo();
  return { won: false, after: run(running, lost) };
}

function isList(unit: Unit): unit is readonly Write[] {
  return Array.isArray(unit);
}

function textOf(sql: Sql): string {
  return typeof sql === 'string' ? sql : sql.sqlite;
}
