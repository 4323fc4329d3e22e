/**
 * How a database would find the rows of a statement: the tables that it would read whole. Values are left open, so the
 * plan is that of the statement, whatever it is asked for.
 */

import type { Database } from 'better-sqlite3';
import type { Client } from 'pg';

/** Tables of which a statement would read every row, in SQLite. An index of a few rows (`WHERE …`) is not the table. */
export function scannedBySqlite(database: Database, sql: string): string[] {
  const placed = sql.replaceAll(/(?<!:):[a-zA-Z]\w*/g, '?');
  const statement = database.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${placed}`);
  const values = Array.from({ length: (placed.match(/\?/g) ?? []).length }, () => null);
  return statement.all(...values).flatMap(({ detail }) => {
    const [, table, index] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
    return table === undefined || isPartial(database, index) ? [] : [table];
  });
}

function isPartial(database: Database, index: string | undefined): boolean {
  if (index === undefined) return false;
  const found = database.prepare<[string], { sql: string | null }>(
    'SELECT sql FROM sqlite_schema WHERE name = ?',
  );
  return found.get(index)?.sql?.includes(' WHERE ') === true;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The same in PostgreSQL, which is told to avoid that wherever an index could be used. */
export async function scannedByPostgres(client: Client, sql: string): Promise<string[]> {
  const numbers = (sql.match(/\$\d+/g) ?? []).map((name) => Number(name.slice(1)));
  const values = Array.from({ length: Math.max(0, ...numbers) }, () => 'NULL').join(', ');
  await client.query(
    'SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan',
  );
  await client.query(`PREPARE looked_at AS ${sql}`);
  try {
    const execute = values === '' ? 'EXECUTE looked_at' : `EXECUTE looked_at(${values})`;
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${execute}`);
    return scannedIn(rows[0]['QUERY PLAN'][0].Plan, false);
  } finally {
    await client.query('DEALLOCATE looked_at');
  }
}

/** @param isLimited whether only some rows are asked of this part, in the order of an index */
function scannedIn(node: PlanNode, isLimited: boolean): string[] {
  const { 'Node Type': type, 'Relation Name': table, 'Index Cond': condition } = node;
  const isWhole =
    type === 'Seq Scan' || (/^Index (Only )?Scan/.test(type) && condition === undefined && !isLimited);
  const below = (node.Plans ?? []).flatMap((part) =>
    scannedIn(part, type === 'Limit' || (isLimited && type === 'LockRows')),
  );
  return isWhole && table !== undefined ? [table, ...below] : below;
}
