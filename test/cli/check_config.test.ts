import { rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const CONFIG = 'trusted_proxies: [127.0.0.1]\nbrand: { help_url: "https://example.org/help" }';

let app: TestApp;
let line: CommandLine;

beforeAll(async () => {
  app = await startApp({ config: CONFIG });
  line = commandLine();
  line.clock.followMachine();
});
afterAll(async () => {
  line.remove();
  await app.stop();
});

async function check(...words: string[]) {
  return line.type('check-config', '--config', join(app.directory, 'config.yaml'), ...words);
}

const ONLINE = ['store', 'keys', 'homeserver', 'password-login', 'native-oauth', 'clock', 'contact'];

test('without options it asks no one', async () => {
  app.stub.clear();
  const { code, out } = await check();
  expect([code, out]).toEqual([0, `${join(app.directory, 'config.yaml')} is fine.`]);
  expect(app.stub.requests).toEqual([]);
});

test('--json says what was looked at', async () => {
  const { code, out } = await check('--json');
  const report = JSON.parse(out);
  expect([code, report.verdict]).toEqual([0, 'ok']);
  expect(report.checks.map(({ id }: { id: string }) => id)).toEqual(['config', 'files', 'keys']);
});

test('a homeserver that is where clients are is remarked on', async () => {
  const other = commandLine();
  const url = 'https://matrix.example.org';
  await other.type('init', '--dir', other.folder, '--public-url', url, '--homeserver', 'http://127.0.0.1:1');
  other.changeConfig('http://127.0.0.1:1', url);
  const { code, err } = await other.type('check-config');
  expect([code, err]).toEqual([0, expect.stringMatching(/^note: homeserver\.url is public_base_url: /)]);
  other.remove();
});

test('a check of the configuration alone connects to no database', async () => {
  let connections = 0;
  const database = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  const { port } = database.address() as AddressInfo;
  const other = commandLine();
  await other.type('init', '--dir', other.folder, '--storage', `postgres://me@127.0.0.1:${port}/two_factor`);
  expect((await other.type('check-config')).code).toBe(0);
  expect((await other.type('doctor', '--only', 'config')).code).toBe(0);
  expect(connections).toBe(0);
  other.remove();
  await new Promise((resolve) => database.close(resolve));
});

test('--online looks at the store, the keys, the homeserver and the clocks', async () => {
  const { code, out } = await check('--online', '--json');
  const report = JSON.parse(out);
  expect([code, report.verdict]).toEqual([0, 'ok']);
  expect(report.checks.map(({ id }: { id: string }) => id)).toEqual(['config', 'files', ...ONLINE]);
  for (const { verdict, tried } of report.checks) expect([verdict, tried.length > 0]).toEqual(['ok', true]);
  expect((await check('--online')).out).toMatch(/^Nothing found\. Checked: config, files, store, /);
});

test('--online fails where the homeserver is away, in two lines', async () => {
  await app.stub.setDown('refuse');
  const { code, out } = await check('--online');
  await app.stub.setDown(undefined);
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    expect.stringMatching(/^fail {2}homeserver: http:\/\/127\.0\.0\.1:\d+: no answer \(ECONNREFUSED\)$/),
    expect.stringContaining('homeserver.url'),
  ]);
});

test('--online before the first start is a warning: serve makes the database', async () => {
  await line.type(
    'init',
    '--dir',
    line.folder,
    '--homeserver',
    app.stub.url,
    '--help-contact',
    'https://example.org',
  );
  const { code, out } = await line.type('check-config', '--online');
  expect(code).toBe(0);
  expect(out).toMatch(/^warn {2}store: .*2fa\.db: there is no database; serve makes it\n {6}start serve$/);
  rmSync(join(line.folder, 'data/keys.json'));
  expect((await line.type('check-config', '--online')).code).toBe(1);
});

test('--online warns where people could not be told whom to ask', async () => {
  const other = commandLine();
  other.clock.followMachine();
  await other.type('init', '--dir', other.folder, '--homeserver', app.stub.url);
  await other.type('migrate');
  const { code, out } = await other.type('check-config', '--online');
  other.remove();
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^warn {2}contact: no contact is known: .*\n {6}set brand/),
  ]);
});
