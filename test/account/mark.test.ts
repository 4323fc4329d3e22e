import { existsSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { type LogFields, silentLog } from '../../src/system/log.ts';
import { failCommits } from '../login/support.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { type AccountApp, DORAS_PASSWORD, startAccount } from './account.ts';

let account: AccountApp;
let complaints: string[];

beforeEach(async () => {
  complaints = [];
  const log = { ...silentLog, error: (_fields: LogFields, text: string) => void complaints.push(text) };
  account = await startAccount({ log });
});
afterEach(() => account.app.stop());

const keyFile = () => join(account.app.directory, 'keys.json');
const marks = (): unknown[] => JSON.parse(readFileSync(keyFile(), 'utf8')).databases ?? [];

test('attack 168: the first enrolment is answered when its database is marked', async () => {
  expect(marks()).toEqual([]);
  await account.turnOn();
  expect(marks()).toHaveLength(1);
});

test('attack 168: a mark that cannot be written is made up for by housekeeping, and told', async () => {
  const draft = `${keyFile()}.new`;
  writeFileSync(draft, '', { mode: 0o600 });
  await account.turnOn();
  expect(marks()).toEqual([]);
  expect(complaints).toEqual([expect.stringContaining('could not be marked')]);

  rmSync(draft);
  await account.app.proxy.keepHouse();
  expect(marks()).toHaveLength(1);
});

test('a store that fails behind a confirmation does not keep the recovery codes back', async () => {
  const restore = failCommits(
    account.app,
    'INSERT INTO known_places',
    new StoreUnavailable(new Error('gone')),
  );
  const { recoveryCodes } = await account.turnOn();
  restore();
  expect(recoveryCodes.length).toBeGreaterThan(0);
});

test('attack 168: what a killed process left of its writing stops no other for long', async () => {
  const draft = `${keyFile()}.new`;
  writeFileSync(draft, '{"half', { mode: 0o600 });
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(draft, longAgo, longAgo);
  await account.turnOn();
  expect(marks()).toHaveLength(1);
});

test('attack 168: a database that is away at the start is looked at when it comes: a foreign one is not asked', async () => {
  const { app } = account;
  await account.turnOn();
  await app.shutDown();
  const path = join(app.directory, '2fa.db');
  const right = `${path}.right`;
  const other = openDatabase(path);
  other.pragma('locking_mode = EXCLUSIVE');
  other.exec('BEGIN IMMEDIATE; COMMIT');
  await app.start();
  other.close();
  renameSync(path, right);
  const signIn = () => app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
  expect(await signIn()).toMatchObject({ status: 503 });
  expect(existsSync(path)).toBe(false);

  await (await openSqliteStorage({ path })).close();
  expect(await signIn()).toMatchObject({ status: 503 });

  renameSync(right, path);
  expect(await signIn()).toMatchObject({ status: 401 });
});
