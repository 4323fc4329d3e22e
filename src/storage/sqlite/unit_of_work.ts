import type { Branch, Query, Sql, Unit, Write } from '../statement.ts';
import type { Connection } from './connection.ts';

/** Thrown through a unit to have all of it rolled back; it never leaves this folder. */
export class Undo extends Error {}

/**
 * Runs a unit of work in the transaction that is open, and answers as `CommitAnswer` says.
 * @param now ms since the epoch, for `:now`
 * @throws Undo if its decision was lost and it must not write anything
 */
export function runUnit(db: Connection, unit: Unit, now: number): unknown {
  if (isList(unit)) return unit.map((each) => runUnit(db, each, now));
  switch (unit.does) {
    case 'decide':
      return db.decide(textOf(unit.sql), unit.values, now);
    case 'effect':
      return db.run(textOf(unit.sql), unit.values, now);
    case 'ask':
      return runQuery(db, unit, now);
    case 'branch':
      return runBranch(db, unit, now);
  }
}

/** Asks; `now` is in ms since the epoch. */
export function runQuery<Row>(db: Connection, { sql, values }: Query<Row>, now: number): Row[] {
  return db.all<Row>(textOf(sql), values, now);
}

function runBranch(
  db: Connection,
  { on, won, lost }: Branch<unknown, Write, Write | 'undo'>,
  now: number,
): unknown {
  const row = db.decide(textOf(on.sql), on.values, now);
  if (row !== undefined) return { won: true, row, after: runUnit(db, won, now) };
  if (lost === 'undo') throw new Undo();
  return { won: false, after: runUnit(db, lost, now) };
}

function isList(unit: Unit): unit is readonly Write[] {
  return Array.isArray(unit);
}

function textOf(sql: Sql): string {
  return typeof sql === 'string' ? sql : sql.sqlite;
}
