import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { openWhenThere } from '../../src/storage/awaited_storage.ts';
import { SchemaTooNew, StoreUnavailable } from '../../src/storage/errors.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { nextEndOfHold } from '../support/rows.ts';

let folder: string;
let opened: Storage[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'awaited-storage-'));
});

afterEach(async () => {
  for (const storage of opened) await storage.close();
  opened = [];
  rmSync(folder, { recursive: true, force: true });
});

/** A database whose folder cannot be made as long as a file stands in its place. */
async function openBehindAFile(): Promise<{ storage: Storage; clearTheWay: () => void }> {
  const blocked = join(folder, 'data');
  writeFileSync(blocked, 'in the way');
  const storage = await openWhenThere(() => openSqliteStorage({ path: join(blocked, '2fa.db') }));
  opened.push(storage);
  const clearTheWay = () => {
    rmSync(blocked);
    mkdirSync(blocked);
  };
  return { storage, clearTheWay };
}

test('a store that is not there at the start refuses every use', async () => {
  const { storage } = await openBehindAFile();
  await expect(storage.factors.isEnrolled('@bob:hs')).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(nextEndOfHold(storage)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(storage.check()).rejects.toBeInstanceOf(StoreUnavailable);
});

test('and works as soon as it is there', async () => {
  const { storage, clearTheWay } = await openBehindAFile();
  await expect(storage.check()).rejects.toBeInstanceOf(StoreUnavailable);
  clearTheWay();
  await storage.check();
  expect(await storage.factors.isEnrolled('@bob:hs')).toBe(false);
  await storage.commit(['@bob:hs'], countAttempt('@bob:hs', 'elsewhere', LANE_RULES));
  expect(await storage.read(lanesOf('@bob:hs'))).toHaveLength(1);
});

test('what can never be opened is said at once', async () => {
  const newer = () => Promise.reject(new SchemaTooNew(99, 1));
  await expect(openWhenThere(newer)).rejects.toBeInstanceOf(SchemaTooNew);
});
