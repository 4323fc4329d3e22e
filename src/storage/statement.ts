/**
 * Changes of the store as values. A function of `tables/` makes a statement; `Storage.commit` writes a *unit of
 * work*, which is one statement, several in order, or a branch on one that decides; `Storage.read` asks.
 *
 * The contract of a unit, tested on every database by `test/storage/`:
 *
 * 1. It is written whole or not at all, in the order given, and answered in that order. It is durable when
 *    `commit` resolves. Units that share a commit fail alone.
 * 2. `accounts` names the users whose rows it writes. They are locked first, in order, so that two units of one
 *    user never wait for each other in a circle. A sweep names none.
 * 3. `:now` is bound by the store, once a unit, in ms since the epoch. No caller passes a "now" of its own.
 * 4. A unit is run again as it is where the database says that it collided with another one; it is data, so
 *    running it twice is harmless until it is committed.
 * 5. Two units have an order only if the first was awaited. A read sees every unit that has resolved.
 *
 * An `Entry` of the audit is written last, behind all other statements (`entering.ts`).
 *
 * How to add a table: a migration in each driver's folder, a file in `tables/` with a function for each statement,
 * and its contract in `test/storage/`, which runs on every database.
 */

import type { AuditRecord, Chain } from './chain.ts';

/** A value for a `:name` in a statement. Times are ms since the epoch. */
export type Value = string | number | Buffer | null;
export type Values = Readonly<Record<string, Value>>;

/** One text for both databases; two only where they must differ. */
export type Sql = string | { readonly sqlite: string; readonly postgres: string };

/** A text in quotes, which is left alone, or `:name`, but not the `::` of a cast. */
export const QUOTED_OR_NAME = /'[^']*'|(?<!:):([a-zA-Z]\w*)/g;

declare const ROW: unique symbol;

/**
 * A conditional write that decides something (R8): it wins if it changed a row. `Row` is what its RETURNING says,
 * with the names of the columns as keys; without RETURNING it is empty.
 */
export interface Decision<Row> {
  readonly does: 'decide';
  readonly sql: Sql;
  readonly values: Values;
  readonly [ROW]?: Row;
}

/** A write without a decision; its answer is the number of rows that it changed. */
export interface Effect {
  readonly does: 'effect';
  readonly sql: Sql;
  readonly values: Values;
}

/** A question; inside a unit it sees what the unit has written so far. */
export interface Query<Row> {
  readonly does: 'ask';
  readonly sql: Sql;
  readonly values: Values;
  readonly [ROW]?: Row;
}

/** What follows from winning or losing a decision. */
export interface Branch<Row, Won, Lost> {
  readonly does: 'branch';
  readonly on: Decision<Row>;
  readonly won: Won;
  readonly lost: Lost;
}

/** An entry of the audit: its place in the chain is found when the unit is written. Its answer is 1. */
export interface Entry {
  readonly does: 'enter';
  readonly record: AuditRecord;
  readonly chain: Chain;
}

export type Write =
  | Decision<unknown>
  | Effect
  | Entry
  | Query<unknown>
  | Branch<unknown, Write, Write>
  | readonly Write[];

/**
 * A unit of work. Only its outermost branch may undo everything that the unit has written, or one that is all that
 * follows from winning it (`whenBoth`).
 */
export type Unit = Write | Branch<unknown, Unit, 'undo'>;

/** What a unit answers: for each statement what its kind says, for a list a list, for a branch how it went. */
export type CommitAnswer<W> = [Write] extends [W]
  ? unknown
  : W extends Decision<infer Row>
    ? Row | undefined
    : W extends Effect | Entry
      ? number
      : W extends Query<infer Row>
        ? Row[]
        : W extends Branch<infer Row, infer Won, infer Lost>
          ? BranchAnswer<Row, Won, Lost>
          : W extends readonly unknown[]
            ? { -readonly [K in keyof W]: CommitAnswer<W[K]> }
            : never;

export type BranchAnswer<Row, Won, Lost> =
  | { readonly won: true; readonly row: Row; readonly after: CommitAnswer<Won> }
  | (Lost extends 'undo'
      ? { readonly won: false; readonly undone: true }
      : { readonly won: false; readonly after: CommitAnswer<Lost> });

/** Why a unit is run again: an SQLSTATE of PostgreSQL that says that it collided, or SQLite's "busy". */
export type RetryCause = '40001' | '40P01' | '55P03' | 'busy';

/** How many connections are lent, are not, and how many requests wait for one. */
export interface PoolState {
  readonly busy: number;
  readonly idle: number;
  readonly waiting: number;
}

/** A database: it writes units of work and answers questions. */
export interface Driver {
  /**
   * Writes a unit of work whole or not at all.
   * @param accounts the users whose rows it writes
   * @throws {StoreUnavailable} it was not written, or it is not known whether it was
   */
  commit<const U extends Unit>(accounts: readonly string[], unit: U): Promise<CommitAnswer<U>>;
  /** @throws {StoreUnavailable} */
  read<Row>(query: Query<Row>): Promise<Row[]>;
  /** Its connections; undefined where there is no pool of them. */
  pool?(): PoolState | undefined;
  /**
   * The same database by one more connection, for what must go on while requests hold all others. It ends with this
   * driver. Undefined where there is no pool of connections.
   */
  aside?(): Driver | undefined;
  /** Resolves if the store can read and write now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** @typeParam Row what RETURNING answers */
export function decide<Row = object>(sql: Sql, values: Values = {}): Decision<Row> {
  return { does: 'decide', sql, values };
}

export function effect(sql: Sql, values: Values = {}): Effect {
  return { does: 'effect', sql, values };
}

export function ask<Row>(sql: Sql, values: Values = {}): Query<Row> {
  return { does: 'ask', sql, values };
}

/** Branches on a decision; `lost: 'undo'` writes nothing of the whole unit. */
export function when<Row, const Won extends Write, const Lost extends Write | 'undo'>(
  on: Decision<Row>,
  { won, lost }: { readonly won: Won; readonly lost: Lost },
): Branch<Row, Won, Lost> {
  return { does: 'branch', on, won, lost };
}

/** Branches on two decisions, which are won both, or nothing of the unit is written. */
export function whenBoth<First, Second, const Won extends Write>(
  first: Decision<First>,
  second: Decision<Second>,
  won: Won,
): Branch<First, Branch<Second, Won, 'undo'>, 'undo'> {
  const inner: Branch<Second, Won, 'undo'> = { does: 'branch', on: second, won, lost: 'undo' };
  return { does: 'branch', on: first, won: inner, lost: 'undo' };
}

/** A list for `IN`: there is a statement for each length, which is that of the keys under which digests are looked for. */
export function listOf(
  name: string,
  values: readonly string[],
): { readonly names: string; readonly values: Values } {
  const entries = values.map((value, at) => [`${name}${at}`, value] as const);
  const names = entries.map(([each]) => `:${each}`).join(', ');
  return { names: names === '' ? 'NULL' : names, values: Object.fromEntries(entries) };
}

/**
 * A text that is put together from parts, each variant of it once. Statements are found by their text, and one that is
 * put together at each call has to be hashed at each call. There must be few variants.
 * @param make must depend on nothing but what it is given
 */
export function madeOnce<Parts extends readonly (string | number | boolean)[], Made>(
  make: (...parts: Parts) => Made,
): (...parts: Parts) => Made {
  const made = new Map<string | number | boolean, Made>();
  return (...parts) => {
    const [only = ''] = parts;
    const key = parts.length === 1 ? only : parts.join('\n');
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = make(...parts);
    made.set(key, fresh);
    return fresh;
  };
}

/** The text of a statement whose databases name the smaller and the greater of two values differently. */
export function bothDialects(
  text: (words: { readonly least: string; readonly greatest: string }) => string,
): Sql {
  return {
    sqlite: text({ least: 'min', greatest: 'max' }),
    postgres: text({ least: 'least', greatest: 'greatest' }),
  };
}
