import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LockTimeout, withDirectoryLock } from '../../tools/directory_lock.ts';

let folder: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  lock = join(folder, 'the.lock');
});

afterEach(() => rm(folder, { recursive: true }));

test('only one of many holds the lock at a time, and nothing is left behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((next) => setImmediate(next));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withDirectoryLock(lock, { timeoutMs: 20_000 }, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test('the lock is free again after work that throws', async () => {
  const failing = withDirectoryLock(lock, { timeoutMs: 0 }, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  await expect(withDirectoryLock(lock, { timeoutMs: 0 }, async () => 'done')).resolves.toBe('done');
});

test('a lock whose holder shows no sign of life is taken over', async () => {
  await mkdir(lock);
  await writeFile(join(lock, 'somebody'), '');
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(lock, 'somebody'), longAgo, longAgo);
  await expect(withDirectoryLock(lock, { timeoutMs: 0 }, async () => 'done')).resolves.toBe('done');
});

test('a lock whose holder has ended is taken over at once', async () => {
  const { pid } = spawnSync('true');
  await mkdir(lock);
  await writeFile(join(lock, `${pid}-it`), '');
  await expect(withDirectoryLock(lock, { timeoutMs: 0 }, async () => 'done')).resolves.toBe('done');
});

test('a holder that runs, and is silent for a minute, keeps its lock', async () => {
  await mkdir(lock);
  const file = join(lock, `${process.pid}-it`);
  await writeFile(file, '');
  const aMinuteAgo = new Date(Date.now() - 60_000);
  await utimes(file, aMinuteAgo, aMinuteAgo);
  await expect(withDirectoryLock(lock, { timeoutMs: 0 }, async () => 'done')).rejects.toThrow(LockTimeout);
});

test('a lock that someone holds is waited for, then given up', async () => {
  await mkdir(lock);
  await writeFile(join(lock, 'somebody'), '');
  let waits = 0;
  const options = { timeoutMs: 0, onWait: () => (waits += 1) };
  await expect(withDirectoryLock(lock, options, async () => 'done')).rejects.toThrow(LockTimeout);
  expect(waits).toBe(1);
});
