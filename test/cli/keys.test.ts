import { readFileSync } from 'node:fs';
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
  expect(JSON.parse(asJson.out)).toEqual([{ id: key.id, created: line.clock.now(), state: 'active' }]);
  expect(asText.out + asJson.out).not.toContain(key.secret);
});

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

test('keys rotate --active-in says when, and refuses what is not a time', async () => {
  expect(await line.type('keys', 'rotate', '--active-in', '0s')).toMatchObject({ code: 0, err: '' });
  const keys = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(keys).toMatchObject([{ state: 'opens' }, { state: 'active' }]);
  const refused = await line.type('keys', 'rotate', '--active-in', 'soon');
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('--active-in');
  expect(JSON.parse((await line.type('keys', 'list', '--json')).out)).toHaveLength(2);
});
