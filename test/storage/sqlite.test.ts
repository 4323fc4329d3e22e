import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/stores.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { describeStorage } from './contract.ts';
import { describeLanes } from './lanes.ts';
import { describeUnitsOfWork } from './units_of_work.ts';

async function openSqlite() {
  const clock = new ManualClock();
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-contract-'));
  const path = join(directory, 'data', '2fa.db');
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

describeStorage('SQLite', openSqlite);
describeUnitsOfWork('SQLite', openSqlite);
describeLanes('SQLite', openSqlite);
