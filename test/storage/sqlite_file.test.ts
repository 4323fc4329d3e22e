import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from 'better-sqlite3';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { CannotOpen, SchemaTooNew, StoreUnavailable } from '../../src/storage/errors.ts';
import { backupSqlite } from '../../src/storage/sqlite/backup.ts';
import { Connection } from '../../src/storage/sqlite/connection.ts';
import { migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { spendRecoveryCode } from '../../src/storage/tables/recovery_sets.ts';
import { systemRandom } from '../../src/system/random.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { SealBroken } from '../../src/vault/vault.ts';
import { enter } from '../support/entries.ts';
import { ManualClock } from '../support/manual_clock.ts';

const ALICE = '@alice:hs.example';
const BOB = '@bob:hs.example';

let directory: string;
let path: string;
let opened: Storage[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-file-'));
  path = join(directory, 'data', '2fa.db');
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((storage) => storage.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(at = path): Promise<Storage> {
  const storage = await openSqliteStorage({ path: at, clock: new ManualClock(0) });
  opened.push(storage);
  return storage;
}

/** Looks into the file, past the store. */
function inspect<T>(look: (database: Database) => T): T {
  const database = openDatabase(path);
  try {
    return look(database);
  } finally {
    database.close();
  }
}

/** Nothing keeps an attempt waiting. */
const PATIENT = { ...LANE_RULES, freeFailures: 1e6, shutAt: 1e6, budget: 1e6 };
const failures = async (storage: Storage) => (await storage.read(lanesOf(ALICE)))[0]?.failures;
const fail = (storage: Storage) => storage.commit([ALICE], countAttempt(ALICE, 'elsewhere', PATIENT));

async function enrol(storage: Storage, userId: string, sealedSeed: Buffer = Buffer.from('sealed')) {
  const setupId = `setup-${userId}`;
  await storage.factors.beginSetup({
    id: setupId,
    userId,
    kind: 'totp',
    name: 'phone',
    sealedSeed,
    tokenHash: 'token',
    expiresAt: 1000,
    failures: 0,
    replaces: [],
  });
  await storage.factors.activate({
    setupId,
    userId,
    authenticatorId: userId,
    foldedLocalpart: userId,
    sealedSeed,
    step: 0,
    wasOn: false,
    replaced: [],
    recovery: {
      salt: Buffer.from('salt'),
      pepperKeyId: 'key',
      hashes: ['a', 'b'],
      tags: [1, 2],
      generatedAt: 0,
    },
  });
}

describe('the file', () => {
  test('is made with its directory, and only its owner may read it or what SQLite puts beside it', async () => {
    const storage = await open();
    await storage.check();
    const files = readdirSync(join(directory, 'data'));
    expect(files.toSorted()).toEqual(['2fa.db', '2fa.db-shm', '2fa.db-wal']);
    for (const file of files) expect(statSync(join(directory, 'data', file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
  });

  test('commits to disk: write-ahead log, full synchronisation, foreign keys, strict tables', () => {
    const connection = Connection.open(path);
    expect(connection.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(connection.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
    expect(connection.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 });
    connection.close();
    const tables = inspect((database) => database.pragma('table_list')) as { name: string; strict: number }[];
    const ours = tables.filter((table) => !table.name.startsWith('sqlite_'));
    expect(ours.length).toBeGreaterThan(10);
    expect(ours.filter((table) => table.strict === 0)).toEqual([]);
  });

  test('what was written is there after the next opening', async () => {
    const storage = await open();
    await fail(storage);
    await storage.close();
    expect(await failures(await open())).toBe(1);
  });

  test('`:memory:` leaves no file behind', async () => {
    const storage = await open(':memory:');
    await storage.check();
    expect(await failures(storage)).toBeUndefined();
    expect(existsSync(':memory:')).toBe(false);
  });

  test('attack 91: what is no database is refused and left as it is', async () => {
    const text = 'no database at all'.repeat(100);
    mkdirSync(join(directory, 'data'));
    writeFileSync(path, text);
    await expect(openSqliteStorage({ path })).rejects.toThrow(
      `${path}: cannot be opened: it is not a database`,
    );
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('attack 91: a path that cannot be made is refused', async () => {
    writeFileSync(join(directory, 'data'), 'a file where the directory should be');
    await expect(openSqliteStorage({ path })).rejects.toThrow(CannotOpen);
  });

  test('attack 91: another file put in its place is not taken for it', async () => {
    const storage = await open();
    await enrol(storage, ALICE);
    copyFileSync(path, `${path}.copy`);
    rmSync(path);
    copyFileSync(`${path}.copy`, path);
    await expect(storage.factors.deleteRecoverySet(ALICE)).rejects.toThrow(StoreUnavailable);
    await expect(storage.factors.isEnrolled(ALICE)).rejects.toThrow(StoreUnavailable);
  });
});

describe('migrations', () => {
  const first = 'CREATE TABLE first (number INTEGER) STRICT';
  const second = 'CREATE TABLE second (number INTEGER) STRICT';
  const version = () => inspect((database) => database.pragma('user_version', { simple: true }));
  const tables = (database: Database) =>
    database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();

  test('attack 96: an older schema is migrated, step by step, and keeps its rows', () => {
    const database = openDatabase(':memory:');
    migrate(database, [first]);
    database.exec('INSERT INTO first VALUES (7)');
    migrate(database, [first, second, 'ALTER TABLE second ADD COLUMN name TEXT']);
    expect(tables(database)).toEqual(['first', 'second']);
    expect(database.prepare('SELECT number FROM first').pluck().all()).toEqual([7]);
    expect(database.pragma('user_version', { simple: true })).toBe(3);
    database.close();
  });

  test('attack 96: a migration that fails leaves the schema at the version before it', () => {
    const database = openDatabase(':memory:');
    expect(() => migrate(database, [first, `${second}; CREATE TABLE first (again TEXT)`])).toThrow();
    expect(tables(database)).toEqual(['first']);
    expect(database.pragma('user_version', { simple: true })).toBe(1);
    migrate(database, [first, second]);
    expect(tables(database)).toEqual(['first', 'second']);
    database.close();
  });

  test('attack 96: a newer schema is refused with a clear text, and nothing is changed', async () => {
    await (await open()).close();
    inspect((database) => database.pragma('user_version = 900'));
    const before = inspect(tables);
    const refused = openSqliteStorage({ path });
    await expect(refused).rejects.toThrow(SchemaTooNew);
    await expect(refused).rejects.toThrow(/schema version 900/);
    expect(version()).toBe(900);
    expect(inspect(tables)).toEqual(before);
  });

  test('opening twice migrates once', async () => {
    await open();
    const before = version();
    await open();
    expect(version()).toBe(before);
  });
});

describe('copies of rows', () => {
  test('attack 83: the sealed seed of one user in the row of another does not open', async () => {
    const key = { id: 'key', created: 0, secret: Buffer.alloc(32, 1) };
    const vault = new SealingVault({ active: key, keys: [key] }, systemRandom);
    const identity = (userId: string) => `authenticator:${userId}:${userId}`;
    const storage = await open();
    for (const userId of [ALICE, BOB]) {
      await enrol(storage, userId, vault.seal(`seed of ${userId}`, identity(userId)));
    }
    inspect((database) =>
      database
        .prepare(
          `UPDATE authenticators SET sealed_seed =
             (SELECT sealed_seed FROM authenticators WHERE user_id = ?) WHERE user_id = ?`,
        )
        .run(ALICE, BOB),
    );
    const [alices] = await storage.factors.authenticators(ALICE);
    const [bobs] = await storage.factors.authenticators(BOB);
    const openSeed = (sealed: Buffer | undefined, userId: string) =>
      vault.open(sealed ?? Buffer.alloc(0), identity(userId));
    expect(openSeed(alices?.sealedSeed, ALICE).toString()).toBe(`seed of ${ALICE}`);
    expect(() => openSeed(bobs?.sealedSeed, BOB)).toThrow(SealBroken);
  });
});

describe('backups', () => {
  test('attack 98: one taken while writing is one state, in which used codes are used', async () => {
    const storage = await open();
    await enrol(storage, ALICE);
    await storage.commit([ALICE], spendRecoveryCode(ALICE, 'a'));
    let writing = true;
    const writes = (async () => {
      while (writing) {
        await fail(storage);
        await enter(storage, { at: 0, userId: ALICE, event: 'x'.repeat(3000) });
      }
    })();
    const target = join(directory, 'backup.db');
    while ((await storage.audit.list({})).length < 20) await new Promise((resolve) => setImmediate(resolve));
    await backupSqlite(path, target);
    writing = false;
    await writes;

    expect(statSync(target).mode & 0o777).toBe(0o600);
    const restored = await open(target);
    const copy = openDatabase(target);
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    copy.close();
    const audited = (await restored.audit.list({})).length;
    expect(audited).toBeGreaterThanOrEqual(20);
    // One state: in every round the failure was committed first, the line after it.
    expect((await failures(restored)) ?? 0).toBeGreaterThanOrEqual(audited);
    expect((await failures(restored)) ?? 0).toBeLessThanOrEqual(audited + 1);
    expect(await restored.commit([ALICE], spendRecoveryCode(ALICE, 'a'))).toBeUndefined();
    expect(await restored.commit([ALICE], spendRecoveryCode(ALICE, 'b'))).toEqual({ position: 2 });
  });

  test('a backup never overwrites, and without a database makes no file', async () => {
    await fail(await open());
    const target = join(directory, 'backup.db');
    writeFileSync(target, 'precious');
    await expect(backupSqlite(path, target)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(target, 'utf8')).toBe('precious');
    await expect(backupSqlite(join(directory, 'none.db'), `${target}2`)).rejects.toMatchObject({
      code: 'SQLITE_CANTOPEN',
    });
    expect(existsSync(`${target}2`)).toBe(false);
  });
});
