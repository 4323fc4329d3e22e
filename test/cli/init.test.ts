import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;
beforeEach(() => {
  line = commandLine();
});
afterEach(() => line.remove());

test('init writes a configuration and a key file that check-config finds fine', async () => {
  const made = await line.type(
    'init',
    '--dir',
    line.folder,
    '--homeserver',
    'http://127.0.0.1:9/',
    '--public-url',
    'https://matrix.example.org',
  );
  expect(made).toMatchObject({
    code: 0,
    err: 'note: no homeserver answers at http://127.0.0.1:9; what depends on it was not looked at',
  });
  expect(made.out).toContain('docs/install.md');
  const told = [...made.out.matchAll(/matrix-2fa-proxy (\S+) --config (\S+)/g)].map(([, ...words]) => words);
  expect(told).toEqual(['check-config', 'serve', 'doctor'].map((command) => [command, line.configFile]));
  expect(loadConfig(line.configFile, {})).toMatchObject({
    homeserver: { url: 'http://127.0.0.1:9' },
    publicBaseUrl: 'https://matrix.example.org',
  });
  expect(statSync(join(line.folder, 'data/keys.json')).mode & 0o777).toBe(0o600);

  expect(await line.type('check-config')).toEqual({ code: 0, out: `${line.configFile} is fine.`, err: '' });
});

test.each([
  ['config.yaml', 'data/keys.json'],
  ['data/keys.json', 'config.yaml'],
])('init overwrites nothing: with %s in place it writes no %s either', async (there, other) => {
  await line.type('init', '--dir', line.folder);
  rmSync(join(line.folder, other));
  const before = readFileSync(join(line.folder, there), 'utf8');

  const again = await line.type('init', '--dir', line.folder);

  expect(again).toEqual({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: ${join(line.folder, there)} is there already and is not overwritten`,
  });
  expect(readFileSync(join(line.folder, there), 'utf8')).toBe(before);
  expect(existsSync(join(line.folder, other))).toBe(false);
});

test.each([
  ['sqlite', { type: 'sqlite', path: 'data/2fa.db' }],
  ['sqlite:/var/lib/"a b"/2fa.db', { type: 'sqlite', path: '/var/lib/"a b"/2fa.db' }],
  ['postgres://m2fa@db.example.org/m2fa', { type: 'postgres', url: 'postgres://m2fa@db.example.org/m2fa' }],
])('init --storage %s says where the database is', async (where, expected) => {
  expect(await line.type('init', '--dir', line.folder, '--storage', where)).toMatchObject({ code: 0 });
  const path = 'path' in expected && { path: resolve(line.folder, expected.path) };
  expect(loadConfig(line.configFile, {}).storage).toMatchObject({ ...expected, ...path });
});

test('init without --public-url says that it has to be set', async () => {
  const made = await line.type('init', '--dir', line.folder);
  expect(made.out).toContain('set public_base_url');
});

test.each([
  [['--homeserver', 'synapse'], '--homeserver must be a URL that begins with https:// or http://'],
  [
    ['--public-url', 'http://matrix.example.org'],
    '--public-url must begin with https:// (http:// is for loopback addresses only)',
  ],
  [['--storage', 'sqlite:'], '--storage sqlite: must name a file'],
  [['--storage', 'mysql://db'], '--storage must be a URL such as postgres://user@host:5432/database'],
])('init refuses what cannot be used, and writes nothing: %j', async (options, text) => {
  expect(await line.type('init', '--dir', line.folder, ...options)).toEqual({
    code: 2,
    out: '',
    err: `matrix-2fa-proxy: ${text}`,
  });
  expect(existsSync(line.configFile)).toBe(false);
});

test('check-config without a configuration says how to get one', async () => {
  expect(await line.type('check-config')).toEqual({
    code: 2,
    out: '',
    err: `matrix-2fa-proxy: ${line.configFile}: there is no such file ("matrix-2fa-proxy init" makes one)`,
  });
});

test('check-config names a missing key file', async () => {
  writeFileSync(line.configFile, '');
  const { code, err } = await line.type('check-config');
  expect(code).toBe(2);
  expect(err).toContain(`key file ${join(line.folder, 'data/keys.json')}: it does not exist`);
});

test('check-config remarks on what is seldom meant', async () => {
  await line.type('init', '--dir', line.folder);
  writeFileSync(
    line.configFile,
    'public_base_url: https://matrix.example.org\nlogin: { sso: false, appended_code: false }\n',
  );
  const { code, err } = await line.type('check-config');
  expect(code).toBe(0);
  expect(err).toContain('note: trusted_proxies is empty');
  expect(err).toContain('note: login.appended_code and login.sso are both off');
});

test('--config comes before MATRIX_2FA_CONFIG', async () => {
  const { code, err } = await line.type('check-config', '--config', '/nowhere/config.yaml');
  expect(code).toBe(2);
  expect(err).toContain('/nowhere/config.yaml: there is no such file');
});
