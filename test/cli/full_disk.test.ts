import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mainFile } from '../support/serve_process.ts';
import { type SmallDisk, smallDisk } from '../support/small_disk.ts';
import { type CommandLine, commandLine } from './command_line.ts';
import { OperatedDatabase } from './operated_database.ts';

const PAGE = 4096;

let line: CommandLine;
let disk: SmallDisk | undefined;

beforeEach(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:1');
  disk = smallDisk('3m');
});
afterEach(() => {
  disk?.remove();
  line.remove();
});

/** Runs a command whose results go into a file. */
async function printInto(path: string, ...words: string[]): Promise<{ code: number | null; err: string }> {
  const file = openSync(path, 'w');
  const child = spawn(process.execPath, [mainFile(), ...words], {
    env: { ...process.env, MATRIX_2FA_CONFIG: line.configFile },
    stdio: ['ignore', file, 'pipe'],
  });
  closeSync(file);
  if (child.stderr === null) throw new Error('it is a pipe');
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, err };
}

test('keys that could not be printed are no success: who moves the file into place would lose all', async () => {
  const { code, err } = await printInto('/dev/full', 'keys', 'rotate', '--stdout');
  expect([code, err]).toEqual([1, expect.stringContaining('what it printed could not be written: ENOSPC')]);
  const file = join(line.folder, 'printed');
  expect(await printInto(file, 'keys', 'rotate', '--stdout')).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8')).keys).toHaveLength(2);
});

test('a program that reads no more of the results is no fault', async () => {
  const child = spawn(process.execPath, [mainFile(), 'texts'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect([code, err]).toEqual([0, '']);
});

test.each([0, 1, 2])('init writes all files or none, with room for %i of them', async (pages) => {
  if (disk === undefined) return;
  const { folder } = disk;
  const words = ['init', '--dir', folder, '--appservice', '--server-name', 'example.org'];
  const empty = disk.fill(pages * PAGE);
  const failed = await line.type(...words, '--homeserver', 'http://127.0.0.1:1');
  expect([failed.code, failed.out]).toEqual([1, '']);
  expect(
    readdirSync(folder)
      .toSorted()
      .filter((name) => name !== 'data'),
  ).toEqual(['filling']);
  expect(existsSync(join(folder, 'data/keys.json'))).toBe(false);
  empty();
  expect(await line.type(...words, '--homeserver', 'http://127.0.0.1:1')).toMatchObject({ code: 0 });
});

test('half an export of the audit does not stay', async () => {
  if (disk === undefined) return;
  const database = new OperatedDatabase();
  for (let user = 0; user < 12; user += 1) {
    const id = `@user${user}:example.org`;
    const reason = ['--reason', 'x'.repeat(999)];
    await database.line.type('user', 'unlock', id, '--unseen', ...reason);
  }
  disk.fill(PAGE);
  const file = join(disk.folder, 'audit.jsonl');
  const { code, out } = await database.line.type('audit', 'export', '--out', file);
  expect([code, out, existsSync(file)]).toEqual([1, '', false]);
  database.line.remove();
});

test('a backup is not called broken where there is no room to restore it', async () => {
  if (disk === undefined) return;
  const { folder } = disk;
  const database = new OperatedDatabase();
  await database.enrol('@bob:example.org');
  const backup = join(database.line.folder, 'backup.db');
  expect(await database.line.type('backup', backup)).toMatchObject({ code: 0 });
  database.configure(`{ type: sqlite, path: ${folder}/2fa.db }`);
  const { size } = statSync(backup);
  for (const left of [0, size + PAGE, size + 8 * PAGE]) {
    const empty = disk.fill(left);
    const { code, err } = await database.line.type('restore', backup, '--yes');
    expect([left, code, err]).toEqual([left, 1, expect.stringContaining('perhaps for lack of room')]);
    expect(readdirSync(folder)).toEqual(['filling']);
    empty();
  }
  expect(await database.line.type('restore', backup, '--yes')).toMatchObject({ code: 0 });
  database.line.remove();
});
