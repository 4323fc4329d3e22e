/**
 * How many statements, commits and round trips a request costs, on both databases. These are counts, not times: the same
 * on every machine, and held by `test/storage/statement_counts.test.ts`. `STATEMENTS=<name of a way>` lists them.
 */

import { startApp } from '../test/support/app.ts';
import { type CountedWay, countWays } from '../test/support/counted_ways.ts';
import { OwnPostgres } from '../test/support/own_postgres.ts';
import { postgresPrograms } from '../test/support/postgres.ts';
import { USERS } from '../tools/ways/ways.ts';
import type { BenchResult, BenchRun } from './support/results.ts';

/** Counts and prints. */
export async function run({ report }: Pick<BenchRun, 'report'>): Promise<void> {
  // Servers of tests end with the run that they are named after.
  process.env.M2FA_TEST_RUN ??= String(process.pid);
  report([...print('sqlite', await onSqlite()), ...print('postgres', await onPostgres())]);
}

async function onSqlite(): Promise<CountedWay[]> {
  return counted(await startApp({ users: USERS }));
}

async function onPostgres(): Promise<CountedWay[]> {
  const programs = postgresPrograms();
  if (programs === undefined) return [];
  const server = await OwnPostgres.start(programs);
  try {
    const storage = `{ type: postgres, url: "${server.url}", tls: disable }`;
    return await counted(await startApp({ users: USERS, storage }));
  } finally {
    await server.remove();
  }
}

async function counted(app: Awaited<ReturnType<typeof startApp>>): Promise<CountedWay[]> {
  try {
    return await countWays(app);
  } finally {
    await app.stop();
  }
}

function print(database: string, ways: readonly CountedWay[]): BenchResult[] {
  if (ways.length === 0) return [];
  console.log(`${database.padEnd(28)} statements  commits  round trips  pages`);
  return ways.flatMap(({ name, asked, pages }) => {
    const counts = {
      statements: asked.statements.length,
      commits: asked.commits,
      roundTrips: asked.roundTrips,
      pages,
    };
    console.log(
      name.padEnd(28) +
        String(counts.statements).padStart(11) +
        String(counts.commits).padStart(9) +
        String(counts.roundTrips).padStart(13) +
        String(counts.pages).padStart(7),
    );
    if (process.env.STATEMENTS === name) list(asked.statements);
    return Object.entries(counts).map(([unit, value]) => ({
      name: `${database}: ${name}`,
      value,
      unit: unit === 'roundTrips' ? 'round trips' : unit,
      ratio_to: null,
    }));
  });
}

function list(statements: readonly string[]): void {
  for (const [index, statement] of statements.entries()) {
    console.log(`  ${String(index + 1).padStart(2)}  ${statement.slice(0, 160)}`);
  }
}
