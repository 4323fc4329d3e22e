import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
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

const APPSERVICE = ['--appservice', '--server-name', 'chat.example.org'];

test('init --appservice writes a registration for its owner alone, and the setting', async () => {
  const made = await line.type('init', '--dir', line.folder, ...APPSERVICE);
  const file = join(line.folder, 'appservice.yaml');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const registration = parse(readFileSync(file, 'utf8'));
  expect(registration).toEqual({
    id: 'matrix-2fa-proxy',
    url: null,
    as_token: expect.stringMatching(/^[\w-]{43}$/),
    hs_token: expect.stringMatching(/^[\w-]{43}$/),
    sender_localpart: 'two-factor',
    rate_limited: false,
    namespaces: { users: [{ regex: '@.*:chat\\.example\\.org', exclusive: false }] },
  });
  const { as_token: asToken } = registration;
  expect(loadConfig(line.configFile, {}).homeserver.appservice).toEqual({ file, asToken });
  expect(await line.type('check-config')).toMatchObject({ code: 0, err: '' });
  // No kind of homeserver answers: the ways of all are told.
  for (const way of [
    `app_service_config_files: [${file}]`,
    `config_files: [${file}]`,
    '!admin appservices register',
  ]) {
    expect(made.out).toContain(way);
  }
  expect(made.out).not.toContain(asToken);

  rmSync(line.configFile);
  rmSync(join(line.folder, 'data'), { recursive: true });
  expect(await line.type('init', '--dir', line.folder, ...APPSERVICE)).toEqual({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: ${file} is there already and is not overwritten`,
  });
  expect(existsSync(line.configFile)).toBe(false);
});

test.each([
  [['--appservice'], '--appservice needs --server-name'],
  [['--server-name', 'example.org'], '--server-name is for --appservice'],
  [
    ['--appservice', '--server-name', "a'b"],
    '--server-name must be what stands behind the colon of user ids, such as example.org',
  ],
])('init refuses %j', async (options, text) => {
  const refused = await line.type('init', '--dir', line.folder, ...options);
  expect(refused).toEqual({ code: 2, out: '', err: `matrix-2fa-proxy: ${text}` });
  expect(existsSync(line.configFile)).toBe(false);
});

const REGISTERED = 'as_token: the_token_itself\n';

test.each([
  ['is not there', undefined, 0o600, 'cannot be read (ENOENT)'],
  ['is open to others', REGISTERED, 0o644, 'is open to other users (mode 0644): chmod 600'],
  ['has no token', 'id: x\n', 0o600, 'has no as_token'],
  ['has a token that no header can carry', 'as_token: "a b"\n', 0o600, 'has no as_token'],
  ['is no YAML', 'as_token: [the_token_itself\n', 0o600, 'is not valid YAML'],
  ['is a list', '- the_token_itself\n', 0o600, 'is not a registration file'],
  [
    'keeps users out',
    `${REGISTERED}namespaces: { users: [{ regex: '@.*', exclusive: true }] }\n`,
    0o600,
    'has exclusive: true, which keeps users out: set it to false',
  ],
])('a registration that %s is refused by its name, without its token', async (_what, text, mode, says) => {
  await line.type('init', '--dir', line.folder, ...APPSERVICE);
  const file = join(line.folder, 'appservice.yaml');
  rmSync(file);
  if (text !== undefined) writeFileSync(file, text, { mode });
  const { code, out, err } = await line.type('check-config');
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(`homeserver.appservice.file: ${file} ${says}`);
  expect(err).not.toContain('the_token_itself');
});

test('a registration that is named without a file, or listed as one that needs no factor, is refused', async () => {
  await line.type('init', '--dir', line.folder, ...APPSERVICE);
  const config = readFileSync(line.configFile, 'utf8');
  const refusal = async (text: string) => {
    writeFileSync(line.configFile, text);
    return (await line.type('check-config')).err;
  };
  expect(await refusal(config.replace('{ file: appservice.yaml }', '{}'))).toContain(
    'homeserver.appservice.file: must be given',
  );
  expect(await refusal(`${config}application_services: [appservice.yaml]\n`)).toContain(
    'is homeserver.appservice: what is listed here needs no second factor',
  );
});
