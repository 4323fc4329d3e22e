/**
 * Opens, uses and drops databases and makes garbage, so that it is collected all the time, by Node itself between two
 * turns: a database library that does not survive that ends this process. A collection that is asked for (`gc()`)
 * runs inside a context, and shows nothing.
 *
 *     node --max-semi-space-size=1 --import tsx tools/store_stress.ts [ROUNDS] [PACKAGE]
 *
 * PACKAGE is a database library to try instead of the one that fits this Node, e.g. `better-sqlite3`: its version 12
 * aborts on Node 24.19 or newer (https://github.com/nodejs/node/issues/65446).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type Library from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { openDatabase } from '../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite_storage.ts';
import { systemClock } from '../src/system/clock.ts';

const STATEMENTS = 200;

type Open = (path: string) => Database;

async function main([rounds = '2000', name]: readonly string[]): Promise<void> {
  const open = name === undefined ? openDatabase : opener(name);
  const folder = mkdtempSync(join(tmpdir(), 'store-stress-'));
  try {
    for (let round = 0; round < Number(rounds); round++) {
      useAndDrop(open);
      if (name === undefined && round % 50 === 0) await useStore(join(folder, `store-${round}.db`));
      makeGarbage();
      await pause(1);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(`${rounds} rounds on Node ${process.versions.node}: alive\n`);
}

function opener(name: string): Open {
  const Other = createRequire(import.meta.url)(name) as typeof Library;
  return (path) => new Other(path);
}

/** Statements that are not kept; every other database is left to the garbage collector, too. */
function useAndDrop(open: Open): void {
  for (const closes of [true, false]) {
    const database = open(':memory:');
    for (let number = 0; number < STATEMENTS; number++) database.prepare(`SELECT ${number}`).get();
    if (closes) database.close();
  }
}

function makeGarbage(): unknown[] {
  return Array.from({ length: 2_000 }, (_, number) => ({ pair: [number, number] }));
}

async function useStore(path: string): Promise<void> {
  const storage = await openSqliteStorage({ path, clock: systemClock });
  await Promise.all(Array.from({ length: 20 }, () => storage.check()));
  await storage.close();
}

await main(process.argv.slice(2));
