import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from 'better-sqlite3';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { Connection } from '../../src/storage/sqlite/connection.ts';
import { GroupCommit } from '../../src/storage/sqlite/group_commit.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';

let directory: string;
let connection: Connection;
let commits: GroupCommit;
let other: Database;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'group-commit-'));
  const path = join(directory, '2fa.db');
  connection = Connection.open(path);
  connection.run('CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT');
  commits = new GroupCommit(connection, { patience: { tries: 3, pauseMs: 1 } });
  other = openDatabase(path);
});

afterEach(() => {
  other.close();
  connection.close();
  rmSync(directory, { recursive: true, force: true });
});

const insert = (number: number) =>
  commits.write((db) => db.run('INSERT INTO numbers VALUES (:number)', { number }));

/** What another connection sees: only what is committed. */
const committed = () => other.prepare('SELECT number FROM numbers ORDER BY number').pluck().all();

const outcomes = (settled: readonly PromiseSettledResult<unknown>[]) => settled.map((one) => one.status);

describe('one commit', () => {
  test('writes of one turn become visible all together, and none before its caller hears of it', async () => {
    const seen: unknown[][] = [];
    await Promise.all(
      [1, 2, 3].map(async (number) => {
        await insert(number);
        seen.push(committed());
      }),
    );
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('nothing is written before the end of the turn', async () => {
    const write = insert(1);
    await Promise.resolve();
    expect(committed()).toEqual([]);
    await write;
    expect(committed()).toEqual([1]);
  });

  test('a thousand writes cost one commit', async () => {
    let begun = 0;
    let open = false;
    await Promise.all(
      Array.from({ length: 1000 }, (_, number) =>
        commits.write((db) => {
          if (!open) begun += 1;
          open = true;
          queueMicrotask(() => {
            open = false;
          });
          return db.run('INSERT INTO numbers VALUES (:number)', { number });
        }),
      ),
    );
    expect(begun).toBe(1);
    expect(committed()).toHaveLength(1000);
  });

  test('the answer of each write goes to its own caller', async () => {
    const answers = await Promise.all([1, 2, 3].map((number) => commits.write(() => number * 10)));
    expect(answers).toEqual([10, 20, 30]);
  });

  test('a write asked for inside the answer of another comes in the next commit', async () => {
    await insert(1);
    await insert(2);
    expect(committed()).toEqual([1, 2]);
  });
});

describe('a write that fails', () => {
  test('attack 78: undoes its own changes and nothing of its neighbours', async () => {
    const settled = await Promise.allSettled([
      insert(1),
      commits.write((db) => {
        db.run('INSERT INTO numbers VALUES (50)');
        throw new RangeError('on purpose');
      }),
      insert(2),
      insert(1),
    ]);
    expect(outcomes(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(settled[1]).toMatchObject({ reason: expect.any(RangeError) });
    expect(committed()).toEqual([1, 2]);
  });

  test('a violated constraint is our mistake, not a store that is unavailable', async () => {
    await insert(1);
    await expect(insert(1)).rejects.not.toBeInstanceOf(StoreUnavailable);
  });
});

describe('attack 91: the database cannot be written', () => {
  test('attack 91: read-only: every write of the turn is refused, and it recovers', async () => {
    connection.run('PRAGMA query_only = 1');
    const settled = await Promise.allSettled([insert(1), insert(2)]);
    for (const one of settled) expect(one).toMatchObject({ reason: expect.any(StoreUnavailable) });
    connection.run('PRAGMA query_only = 0');
    await insert(3);
    expect(committed()).toEqual([3]);
  });

  test('attack 91: full: nothing of the turn is accepted, reads go on, and it recovers', async () => {
    await insert(1);
    connection.run('CREATE TABLE blobs (content BLOB NOT NULL) STRICT');
    connection.get('PRAGMA max_page_count = 60');
    const tooMuch = () =>
      commits.write((db) =>
        db.run('INSERT INTO blobs VALUES (:content)', { content: Buffer.alloc(1_000_000) }),
      );
    const settled = await Promise.allSettled([insert(2), tooMuch(), insert(3)]);
    expect(settled[1]).toMatchObject({ reason: expect.any(StoreUnavailable) });
    const accepted = [2, 3].filter((_, index) => settled[index * 2]?.status === 'fulfilled');
    expect(committed()).toEqual([1, ...accepted]);
    expect(await connection.read((db) => db.all('SELECT * FROM blobs'))).toEqual([]);
    connection.get('PRAGMA max_page_count = 100000');
    await tooMuch();
    await insert(4);
    expect(committed()).toEqual([1, ...accepted, 4]);
  });

  test('attack 91: locked: a write waits for its turn without blocking the process', async () => {
    other.exec('BEGIN IMMEDIATE');
    const write = insert(1);
    const late = insert(2);
    // A turn of the event loop in which the write found the database locked.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await connection.read((db) => db.all('SELECT * FROM numbers'))).toEqual([]);
    other.exec('COMMIT');
    await Promise.all([write, late]);
    expect(committed()).toEqual([1, 2]);
  });

  test('attack 91: locked for too long: refused, and it recovers', async () => {
    other.exec('BEGIN IMMEDIATE');
    await expect(insert(1)).rejects.toThrow(StoreUnavailable);
    other.exec('COMMIT');
    await insert(2);
    expect(committed()).toEqual([2]);
  });

  test('attack 91: a transaction that SQLite ended by itself fails as a whole', async () => {
    const settled = await Promise.allSettled([
      insert(1),
      commits.write((db) => {
        db.run('ROLLBACK');
        throw new Error('as a full disk does');
      }),
      insert(2),
    ]);
    for (const one of settled) {
      expect(one).toMatchObject({ reason: new StoreUnavailable(undefined) });
      expect(one).toMatchObject({ reason: { cause: { message: 'as a full disk does' } } });
    }
    await insert(3);
    expect(committed()).toEqual([3]);
  });

  test('attack 167: files that are lost in the middle of a commit: refused', async () => {
    const settled = await Promise.allSettled([
      insert(1),
      commits.write((db) => {
        db.run('INSERT INTO numbers VALUES (2)');
        rmSync(join(directory, '2fa.db-wal'));
      }),
    ]);
    expect(outcomes(settled)).toEqual(['rejected', 'rejected']);
    await expect(insert(3)).rejects.toThrow(StoreUnavailable);
  });

  test('what waits when the store is closed is committed, or refused if it cannot be', async () => {
    const kept = insert(1);
    commits.finish();
    await kept;
    other.exec('BEGIN IMMEDIATE');
    const refused = insert(2);
    commits.finish();
    await expect(refused).rejects.toThrow(StoreUnavailable);
    other.exec('COMMIT');
    expect(committed()).toEqual([1]);
  });
});
