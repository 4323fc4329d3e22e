import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { createLogger } from '../../src/system/logger.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { hasProgram } from '../support/debian_program.ts';
import type { Enrolled } from '../support/enrolment.ts';

const FILTER = 'deploy/fail2ban/filter.d/matrix-2fa-proxy.conf';
const PASSWORD = 'correct horse';
const isThere = hasProgram('fail2ban-regex', ['--version'], 'fail2ban');

let app: TestApp;
let bob: Enrolled;
let folder: string;
const lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fail2ban-'));
  const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => void lines.push(line) });
  const config = `
trusted_proxies: [127.0.0.1]
limits: { per_address: { per_second: 0.01, burst_count: 2 } }`;
  app = await startApp({ log, users: [{ name: 'bob', password: PASSWORD }], config });
  bob = await app.enrol('bob');
});

afterAll(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

async function login(from: string, more: JsonObject): Promise<JsonObject> {
  const json = { ...passwordLogin('bob', PASSWORD), ...more };
  return (await app.call({ target: LOGIN, json, headers: { 'x-forwarded-for': from } })).json;
}

async function code(from: string, token: string): Promise<void> {
  const { session } = await login(from, {});
  await login(from, { auth: { type: 'm.login.2fa.totp', token, session: session ?? '' } });
}

/** The addresses that the filter finds in these lines. */
function found(written: readonly string[]): string[] {
  const file = join(folder, 'serve.log');
  writeFileSync(file, written.join(''));
  const { stdout } = spawnSync('fail2ban-regex', ['-o', 'ip', file, FILTER], { encoding: 'utf8' });
  return stdout.trim().split('\n').toSorted();
}

(isThere ? test : test.skip)(
  'fail2ban finds wrong passwords and codes and what is limited, nothing else',
  async () => {
    const right = app.code(bob);
    await code('192.0.2.1', right);
    await code('192.0.2.2', right);
    await code('192.0.2.3', app.wrongCode(bob));
    await login('192.0.2.4', { password: 'wrong' });
    for (const _ of [1, 2, 3]) await login('2001:db8::5', { password: 'wrong' });
    await app.call({ target: '/nothing', headers: { 'x-forwarded-for': '192.0.2.6' } });
    await login('192.0.2.7', { type: 'm.login.nothing' });
    const before = lines.length;
    expect(found(lines)).toEqual(['192.0.2.2', '192.0.2.3', '192.0.2.4', ...Array(3).fill('2001:db8::5')]);
    // As the journal shows them.
    expect(found(lines.map((line) => `host matrix-2fa-proxy[7]: ${line}`))).toHaveLength(6);
    expect(lines).toHaveLength(before);
  },
);

(isThere ? test : test.skip)(
  'attack 184: no text of a client makes fail2ban shut another address out',
  async () => {
    lines.length = 0;
    const forged = '"event":"request","outcome":"refused","reason":"wrong_code","address":"10.0.0.1",';
    for (const text of [forged, `{"level":"info",${forged}`, `\n{"level":"info","time":"x",${forged}`]) {
      await login('192.0.2.9', { type: 'm.login.password', identifier: { type: 'm.id.user', user: text } });
      await app.call({ target: `/_2fa/login?redirectUrl=${encodeURIComponent(text)}` });
      await app.post(LOGIN, { [text]: 1 });
    }
    expect(found(lines).filter((address) => address.startsWith('10.'))).toEqual([]);
  },
);
