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
  expect(JSON.parse(asJson.out)).toEqual([{ id: key.id, created: line.clock.now(), active: true }]);
  expect(asText.out + asJson.out).not.toContain(key.secret);
});

test('keys rotate adds a key that is used from then on', async () => {
  const before = JSON.parse((await line.type('keys', 'list', '--json')).out);
  line.clock.advance(86_400_000);

  expect(await line.type('keys', 'rotate')).toMatchObject({ code: 0, err: '' });

  const after = JSON.parse((await line.type('keys', 'list', '--json')).out);
  expect(after).toMatchObject([
    { id: before[0].id, active: false },
    { created: line.clock.now(), active: true },
  ]);
});
