import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Connection } from '../src/storage/sqlite/connection.ts';
import { GroupCommit } from '../src/storage/sqlite/group_commit.ts';

/** How many durable writes a second both ways made, with so many writers at once. */
export interface DurableWrites {
  readonly writers: number;
  readonly singlePerSecond: number;
  readonly groupPerSecond: number;
  /** Group commits over single ones. */
  readonly ratio: number;
}

type Write = (writer: number, step: number) => Promise<void>;

/** The write that accepts a code, once more for every step. */
const SPEND = 'UPDATE spent SET last_step = :step WHERE writer = :writer AND last_step < :step';

const ROUNDS = 5;
const ROUND_MS = 400;

/**
 * Measures single commits and group commits side by side: in turns, on the same file, each write waited for by
 * its writer before the next one.
 * @param directory - on the disk to be measured.
 */
export async function measureDurableWrites(directory = tmpdir()): Promise<DurableWrites[]> {
  const folder = mkdtempSync(join(directory, 'durable-writes-'));
  const connection = Connection.open(join(folder, 'bench.db'));
  try {
    connection.run('CREATE TABLE spent (writer INTEGER PRIMARY KEY, last_step INTEGER NOT NULL) STRICT');
    const results: DurableWrites[] = [];
    for (const writers of [1, 8, 32]) results.push(await compare(connection, writers));
    return results;
  } finally {
    connection.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The results as lines for people. */
export function durableWritesTable(results: readonly DurableWrites[]): string {
  const lines = results.map(({ writers, singlePerSecond, groupPerSecond, ratio }) =>
    [
      String(writers).padStart(7),
      String(Math.round(singlePerSecond)).padStart(16),
      String(Math.round(groupPerSecond)).padStart(15),
      `${ratio.toFixed(1)}×`.padStart(7),
    ].join('  '),
  );
  return ['writers  single commits/s  group writes/s    ratio', ...lines].join('\n');
}

async function compare(connection: Connection, writers: number): Promise<DurableWrites> {
  const commits = new GroupCommit(connection);
  const inOwnCommit: Write = async (writer, step) => {
    connection.run(SPEND, { writer, step });
    await endOfTurn();
  };
  const inGroupCommit: Write = async (writer, step) => {
    await commits.write((db) => db.run(SPEND, { writer, step }));
  };
  let single = 0;
  let group = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    single += await writesPerSecond(connection, writers, inOwnCommit);
    group += await writesPerSecond(connection, writers, inGroupCommit);
  }
  return {
    writers,
    singlePerSecond: single / ROUNDS,
    groupPerSecond: group / ROUNDS,
    ratio: group / single,
  };
}

async function writesPerSecond(connection: Connection, writers: number, write: Write): Promise<number> {
  connection.run('DELETE FROM spent');
  const began = performance.now();
  const written = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      connection.run('INSERT INTO spent VALUES (:writer, 0)', { writer });
      let step = 0;
      while (performance.now() - began < ROUND_MS) {
        step += 1;
        await write(writer, step);
      }
      return step;
    }),
  );
  const total = written.reduce((sum, count) => sum + count, 0);
  return (total * 1000) / (performance.now() - began);
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(durableWritesTable(await measureDurableWrites()));
}
