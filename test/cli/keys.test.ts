import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;
beforeEach(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder);
});
afterEach(() => line.remove());

test('keys list names the keys and keeps their secrets', async () => {
  const file = JSON.parse(readFileSync(join(line.folder, 'data/keys.json'), 'utf8'));
  const [key] = file.keys;

  const asText = await line.type('keys', 'list');
  const asJson = await line.type('keys', 'list', '--json');

  expect(asText.out).toContain(key.id);
  expect(JSON.parse(asJson.out)).toEqual([
    { id: key.id, created: line.clock.now(), state: 'active', values: 0, processes: 0 },
  ]);
  expect(asText.out + asJson.out).not.toContain(key.secret);
});

(process.getuid?.() === 0 ? test : test.skip)(
  'run by root, keys rotate leaves the key file to the user that runs serve',
  async () => {
    const file = join(line.folder, 'data/keys.json');
    chownSync(file, 65_532, 65_532);
    expect(await line.type('keys', 'rotate')).toMatchObject({ code: 0 });
    const { uid, gid, mode } = statSync(file);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 65_532, gid: 65_532, mode: 0o600 });
  },
);

test('keys rotate adds a key that every process has read before it is used', async () => {
  const before = JSON.parse((await line.type('keys', 'list', '--json')).out);
  line.clock.advance(86_400_000);

  expect(await line.type('keys', 'rotate')).toMatchObject({ code: 0, err: '' });

  const after = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(after).toMatchObject([
    { id: before[0].id, state: 'active' },
    { created: line.clock.now(), state: 'pending' },
  ]);
  line.clock.advance(60_000);
  const later = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(later).toMatchObject([{ state: 'opens' }, { state: 'active' }]);
});

test('keys rotate --stdout changes nothing and prints the keys with the new one', async () => {
  const path = join(line.folder, 'data/keys.json');
  const before = readFileSync(path, 'utf8');
  const { code, out, err } = await line.type('keys', 'rotate', '--stdout', '--active-in', '10m');
  expect({ code, file: readFileSync(path, 'utf8') }).toEqual({ code: 0, file: before });
  const { active, keys } = JSON.parse(out);
  const [first] = JSON.parse(before).keys;
  const activeFrom = new Date(line.clock.now() + 600_000).toISOString();
  expect(keys).toEqual([first, expect.objectContaining({ active_from: activeFrom })]);
  expect(active).toBe(first.id);
  expect(err).toContain(activeFrom);
  expect(err).not.toContain(first.secret);
});

test('keys that cannot be written are rotated by --stdout only', async () => {
  line.changeConfig('file: data/keys.json', 'command: [/bin/cat, KEYS], marks: data/marks.json');
  line.changeConfig('KEYS', join(line.folder, 'data/keys.json'));
  const refused = await line.type('keys', 'rotate');
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toBe(
    'matrix-2fa-proxy: the command /bin/cat cannot be written; --stdout prints the keys with the new one, to be put there',
  );
  const printed = await line.type('keys', 'rotate', '--stdout');
  writeFileSync(join(line.folder, 'data/keys.json'), printed.out);
  const keys = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(keys).toMatchObject([{ state: 'active' }, { state: 'pending' }]);
});

test('keys rotate --active-in says when, and refuses what is not a time', async () => {
  expect(await line.type('keys', 'rotate', '--active-in', '0s')).toMatchObject({ code: 0, err: '' });
  const keys = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(keys).toMatchObject([{ state: 'opens' }, { state: 'active' }]);
  const refused = await line.type('keys', 'rotate', '--active-in', 'soon');
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('--active-in');
  expect(JSON.parse((await line.type('keys', 'list', '--json')).out)).toHaveLength(2);
});
