import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { Client } from 'pg';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemRandom } from '../../src/system/random.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { makePostgresDatabase, makeSqliteDatabase } from '../support/newest_schema.ts';
import { describeBehindPgbouncer } from '../support/pgbouncer.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { NOW } from './rows.ts';

/** A store with what a test needs beside it. */
export interface StoreUnderTest {
  readonly storage: Storage;
  /** What the store takes for the time. */
  readonly clock: ManualClock;
  /** The store, or another one of the same clock, with the clock set to `time`. */
  at(time: number, storage?: Storage): Storage;
  /** A second connection to the same database, as another process has one. */
  openAnother(): Promise<Storage>;
  /** Takes the database away; the answer brings it back. */
  takeAway(): Promise<() => Promise<void>>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

type OpenedStore = Omit<StoreUnderTest, 'at'>;

/** A suite on SQLite and on PostgreSQL. `opened` is a new and empty store in each test. */
export function describeOnBothStores(title: string, tests: (opened: StoreUnderTest) => void): void {
  const onPostgres = postgresPrograms() === undefined ? describe.skip : describe;
  describe(`${title}, on SQLite`, () => withStore(openSqlite, tests));
  onPostgres(`${title}, on PostgreSQL`, () => withStore(() => openPostgres((url) => url), tests));
}

/** The same, and on PostgreSQL behind PgBouncer: for suites of what could hang on a connection. */
export function describeOnPooledStores(title: string, tests: (opened: StoreUnderTest) => void): void {
  describeOnBothStores(title, tests);
  describeBehindPgbouncer(title, (through) => withStore(() => openPostgres(through), tests));
}

function withStore(open: () => Promise<OpenedStore>, tests: (opened: StoreUnderTest) => void): void {
  const opened = {} as { -readonly [Part in keyof StoreUnderTest]: StoreUnderTest[Part] };
  beforeEach(async () => {
    const store = await open();
    const at = (time: number, storage = store.storage) => {
      store.clock.set(time);
      return storage;
    };
    Object.assign(opened, { ...store, at });
  });
  afterEach(() => opened.dispose());
  tests(opened);
}

async function openSqlite(): Promise<OpenedStore> {
  const clock = new ManualClock(NOW);
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-contract-'));
  const path = join(directory, 'data', '2fa.db');
  await makeSqliteDatabase(path);
  const open: Storage[] = [];
  const openAnother = async () => {
    const storage = await openSqliteStorage({ path, clock });
    open.push(storage);
    return storage;
  };
  return {
    storage: await openAnother(),
    clock,
    openAnother,
    takeAway: async () => {
      renameSync(path, `${path}.away`);
      return async () => renameSync(`${path}.away`, path);
    },
    dispose: async () => {
      await Promise.all(open.map((storage) => storage.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** @param through the way to the database, from its URL */
async function openPostgres(through: (url: string) => string): Promise<OpenedStore> {
  const database = await TestDatabase.make(postgresPrograms(), makePostgresDatabase);
  const url = through(database.url);
  const clock = new ManualClock(NOW);
  const open: Storage[] = [];
  const openAnother = async () => {
    const storage = await openPostgresStorage({ url, tls: 'disable', pool: 10, clock, random: systemRandom });
    open.push(storage);
    return storage;
  };
  return {
    storage: await openAnother(),
    clock,
    openAnother,
    takeAway: async () => {
      await database.allow(false);
      return async () => {
        await database.allow(true);
        await untilItAnswers(url);
      };
    },
    dispose: async () => {
      await Promise.all(open.map((storage) => storage.close()));
      await database.drop();
    },
  };
}

/** PgBouncer tries again a second after a login that failed. */
async function untilItAnswers(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch {
    await pause(100);
    return untilItAnswers(connectionString);
  } finally {
    await client.end();
  }
}

/** A store and a second connection to it, for tests of races. */
export async function replicasOf({ storage, openAnother }: StoreUnderTest): Promise<[Storage, Storage]> {
  return [storage, await openAnother()];
}
