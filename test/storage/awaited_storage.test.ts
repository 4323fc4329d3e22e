import { afterEach, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { openWhenThere } from '../../src/storage/awaited_storage.ts';
import { SchemaTooNew, StoreUnavailable } from '../../src/storage/errors.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { nextEndOfHold } from '../support/rows.ts';

let opened: Storage[] = [];

afterEach(async () => {
  for (const storage of opened) await storage.close();
  opened = [];
});

/** A database on a disk that comes later. */
async function openOnLateDisk() {
  const gone = new StoreUnavailable(new Error('EIO'));
  let isThere = false;
  const told: unknown[] = [];
  const { storage } = await openWhenThere(
    () => (isThere ? openSqliteStorage({ path: ':memory:' }) : Promise.reject(gone)),
    (error) => void told.push(error),
  );
  opened.push(storage);
  const bring = () => {
    isThere = true;
  };
  return { storage, bring, told, gone };
}

test('a store that is not there at the start refuses every use', async () => {
  const { storage, told, gone } = await openOnLateDisk();
  expect(told).toEqual([gone]);
  await expect(storage.factors.isEnrolled('@bob:hs')).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(nextEndOfHold(storage)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(storage.check()).rejects.toBeInstanceOf(StoreUnavailable);
});

test('and works as soon as it is there', async () => {
  const { storage, bring } = await openOnLateDisk();
  await expect(storage.check()).rejects.toBeInstanceOf(StoreUnavailable);
  bring();
  await storage.check();
  expect(await storage.factors.isEnrolled('@bob:hs')).toBe(false);
  await storage.commit(['@bob:hs'], countAttempt('@bob:hs', 'elsewhere', LANE_RULES));
  expect(await storage.read(lanesOf('@bob:hs'))).toHaveLength(1);
});

test('what can never be opened is said at once', async () => {
  const newer = () => Promise.reject(new SchemaTooNew(99, 1));
  await expect(openWhenThere(newer, () => undefined)).rejects.toBeInstanceOf(SchemaTooNew);
});

test('what turns out later to be unusable is told, and refuses every use', async () => {
  const failures: Error[] = [new StoreUnavailable(new Error('EIO'))];
  const { storage, unusable } = await openWhenThere(
    () => Promise.reject(failures.shift() ?? new SchemaTooNew(99, 1)),
    () => undefined,
  );
  await expect(storage.check()).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(unusable).rejects.toBeInstanceOf(SchemaTooNew);
});
