import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { DatabaseMarks } from '../../src/vault/database_marks.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marks-'));
  file = join(folder, 'keys.json');
  createKeyFile(file, systemRandom, systemClock);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const marksIn = (path: string) =>
  new DatabaseMarks({ source: { file: path }, marks: undefined }, () => loadKeyRing(path));

/** A process that marks several databases of the name. */
const PROGRAM = `
  import { silentLog } from './src/system/log.ts';
  import { DatabaseMarks } from './src/vault/database_marks.ts';
  import { loadKeyRing } from './src/vault/key_ring.ts';
  import { MarkKeeper } from './src/vault/mark_keeper.ts';
  const [file, name] = process.argv.slice(1);
  for (let count = 0; count < 5; count += 1) {
    const marks = new DatabaseMarks({ source: { file }, marks: undefined }, () => loadKeyRing(file));
    const storage = { read: async () => [{ id: name + count, firstEnrolledAt: 1 }] };
    await new MarkKeeper(storage, marks, silentLog).keep();
  }
`;

test('processes that mark at once lose no mark and no key', async () => {
  const ring = loadKeyRing(file);
  const names = ['a', 'b', 'c', 'd'];
  const running = names.map((name) =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, file, name], {
      stdio: 'inherit',
    }),
  );
  const ends = await Promise.all(running.map((each) => once(each, 'exit')));
  expect(ends).toEqual(names.map(() => [0, null]));
  const marks = marksIn(file);
  const ids = names.flatMap((name) => [0, 1, 2, 3, 4].map((count) => `${name}${count}`));
  expect(ids.filter((id) => !marks.has(id))).toEqual([]);
  expect(loadKeyRing(file).keys).toEqual(ring.keys);
  expect(readdirSync(folder)).toEqual(['keys.json']);
});

test('a live draft of another process is left alone, an old one is cleared away', () => {
  const marks = marksIn(file);
  const draft = `${file}.new`;
  writeFileSync(draft, '', { mode: 0o600 });
  expect(() => marks.add('a')).toThrow('another process changes it');
  const longAgo = new Date(Date.now() - 31_000);
  utimesSync(draft, longAgo, longAgo);
  marks.add('a');
  expect(marks.has('a')).toBe(true);
  expect(readdirSync(folder)).toEqual(['keys.json']);
});

test('a mark stands in the key file once, and never a secret with it', () => {
  const marks = marksIn(file);
  marks.add('a');
  marks.add('a');
  const { databases, keys } = JSON.parse(readFileSync(file, 'utf8'));
  expect(databases).toEqual([{ id: 'a', mac: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  expect(keys).toHaveLength(1);
  marks.clear();
  expect(marks.any()).toBe(false);
  expect(JSON.parse(readFileSync(file, 'utf8'))).not.toHaveProperty('databases');
});
