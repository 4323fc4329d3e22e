import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openStorage, type StorageSettings } from '../../src/storage/open_storage.ts';
import { ask } from '../../src/storage/statement.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { verified } from './audited.ts';

/** After so many acts each of the writers is killed. */
const KILLED_AFTER = [1, 20, 50];

/** Lets a process write until it is killed; what it said to be durable. */
async function killedAfter(acts: number, address: string): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/audit/killed_writer.ts', address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const durable: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    durable.push(line);
    if (durable.length === acts) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return durable;
}

function tests(opened: () => { settings: StorageSettings; address: string }): void {
  test('attack 197: kill -9 leaves no act without its entry, and no entry without its act', async () => {
    const { settings, address } = opened();
    const durable: string[] = [];
    for (const acts of KILLED_AFTER) durable.push(...(await killedAfter(acts, address)));
    const storage = await openStorage(settings, { clock: systemClock, random: systemRandom });
    const acts = await storage.read(ask<{ key: string }>('SELECT key FROM leases ORDER BY key'));
    const entries = await storage.read(ask<{ detail: string }>('SELECT detail FROM audit'));
    const verdict = await verified(storage);
    await storage.close();
    const done = acts.map(({ key }) => key);
    expect(entries.map(({ detail }) => JSON.parse(detail).key).toSorted()).toEqual(done.toSorted());
    expect(done).toEqual(expect.arrayContaining(durable));
    expect(verdict).toEqual({
      entries: done.length,
      chains: KILLED_AFTER.length,
      unprotected: 0,
      fault: undefined,
    });
  });
}

const onPostgres = postgresPrograms() === undefined ? describe.skip : describe;

describe('a process that is killed, on SQLite', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'killed-writer-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  tests(() => ({
    settings: { type: 'sqlite', path: join(folder, '2fa.db') },
    address: join(folder, '2fa.db'),
  }));
});

onPostgres('a process that is killed, on PostgreSQL', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await TestDatabase.make(postgresPrograms());
  });
  afterEach(() => database.drop());
  tests(() => ({ settings: database.storage, address: database.url }));
});
