/**
 * Opens, uses and drops databases while garbage is collected all the time: a database library that does not
 * survive that ends this process.
 *
 *     node --expose-gc --import tsx tools/store_stress.ts [ROUNDS] [PACKAGE]
 *
 * PACKAGE is a database library to try instead of the one that fits this Node, e.g. `better-sqlite3`: its version 12
 * aborts on Node 24.19 or newer (https://github.com/nodejs/node/issues/65446).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Library from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { openDatabase } from '../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite_storage.ts';
import { systemClock } from '../src/system/clock.ts';

const STATEMENTS = 50;

type Open = (path: string) => Database;

async function main([rounds = '200', name]: readonly string[]): Promise<void> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('start it with node --expose-gc');
  const open = name === undefined ? openDatabase : opener(name);
  const folder = mkdtempSync(join(tmpdir(), 'store-stress-'));
  try {
    for (let round = 0; round < Number(rounds); round++) {
      useAndDrop(open, join(folder, `raw-${round % 5}.db`));
      collect();
      if (name === undefined && round % 10 === 0) await useStore(join(folder, `store-${round}.db`));
      // What is no longer reachable ends in a collection between two turns, too.
      await new Promise((resolve) => setImmediate(resolve));
      collect();
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

/** Statements that nobody keeps; every other database is left to the garbage, too. */
function useAndDrop(open: Open, path: string): void {
  for (const closes of [true, false]) {
    const database = open(path);
    // The disk is not what is tried here.
    database.exec('PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY');
    database.exec('CREATE TABLE IF NOT EXISTS rows (number INTEGER, bytes BLOB)');
    for (let number = 0; number < STATEMENTS; number++) {
      database.prepare(`INSERT INTO rows VALUES (?, zeroblob(${number}))`).run(number);
      const iterator = database.prepare('SELECT * FROM rows LIMIT 3').iterate();
      if (number % 2 === 0) for (const _row of iterator);
      else iterator.return?.();
    }
    if (closes) database.close();
  }
}

async function useStore(path: string): Promise<void> {
  const storage = await openSqliteStorage({ path, clock: systemClock });
  await Promise.all(Array.from({ length: 20 }, () => storage.check()));
  await storage.close();
}

await main(process.argv.slice(2));
