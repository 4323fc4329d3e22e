import { QUOTED_OR_NAME, type Sql, type Value, type Values } from '../statement.ts';

/** A statement as PostgreSQL takes it: `$1`, `$2`, … and their values. */
export interface NumberedStatement {
  readonly text: string;
  readonly values: Value[];
}

/**
 * The time of a question, in ms since the epoch. It is stable within one statement, so that an index can be used;
 * `clock_timestamp()` is not.
 */
export const TIME_OF_STATEMENT = 'floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint';

/**
 * Turns the `:names` of a statement into numbers. PostgreSQL cannot know the type of `$1 + $2`, so each value is
 * sent with its type.
 * @param now ms since the epoch, or the time of the statement
 */
export function numbered(sql: Sql, values: Values, now: number | 'of statement'): NumberedStatement {
  const given: Values = now === 'of statement' ? values : { ...values, now };
  const numbers = new Map<string, string>();
  const sent: Value[] = [];
  const text = textOf(sql).replace(QUOTED_OR_NAME, (found: string, name: string | undefined) => {
    if (name === undefined) return found;
    if (name === 'now' && now === 'of statement') return TIME_OF_STATEMENT;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const value = given[name];
    if (value === undefined) throw new TypeError(`the statement has no value for :${name}`);
    sent.push(value);
    const numberedName = `$${sent.length}${castOf(value)}`;
    numbers.set(name, numberedName);
    return numberedName;
  });
  return { text, values: sent };
}

function textOf(sql: Sql): string {
  return typeof sql === 'string' ? sql : sql.postgres;
}

/** Null has no type of its own: PostgreSQL takes the type that its place needs. */
function castOf(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return '::text';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? '::bigint' : '::float8';
  return '::bytea';
}
