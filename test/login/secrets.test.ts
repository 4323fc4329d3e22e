import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createLogger } from '../../src/system/logger.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { MINUTE, post, RECOVERY, STEP, startSignIns, submit } from './support.ts';

let app: TestApp;
let bob: Enrolled;

afterEach(() => app.stop());

/** A password that stands in no text by chance. */
const PASSPHRASE = 'violet-Staircase-77-umbrella';

/** A whole day of sign-ins, good and bad, with failures of the homeserver: every secret that was in it. */
async function liveThroughADay(): Promise<string[]> {
  const secrets = [PASSPHRASE, bob.seed.toString('hex'), bob.seed.toString('base64'), ...bob.recoveryCodes];
  const login = (more = {}) => post(app, LOGIN, { ...passwordLogin('bob', PASSPHRASE), ...more });
  const keep = (answer: { body: Record<string, unknown> }) => {
    for (const key of ['session', 'access_token', 'refresh_token']) {
      if (typeof answer.body[key] === 'string') secrets.push(answer.body[key]);
    }
    return answer;
  };

  const challenge = await login({ refresh_token: true });
  keep(challenge);
  secrets.push(app.wrongCode(bob), app.code(bob));
  await submit(app, challenge, app.wrongCode(bob));
  keep(await submit(app, challenge, app.code(bob)));

  app.clock.advance(STEP);
  secrets.push(app.code(bob));
  keep(await login({ password: `${PASSPHRASE} ${app.code(bob)}`, device_id: 'PHONE' }));
  keep(await login({ password: `${PASSPHRASE}${bob.recoveryCodes[0]}` }));
  await login({ password: 'not-the-Passphrase-12' });
  secrets.push('not-the-Passphrase-12');

  const loginToken = app.stub.mintLoginToken('bob');
  secrets.push(loginToken);
  const byToken = await post(app, LOGIN, { type: 'm.login.token', token: loginToken });
  keep(byToken);
  keep(await submit(app, byToken, bob.recoveryCodes[1], RECOVERY));

  app.stub.override(/POST .*\/login$/, (exchange) => ({
    status: 400,
    body: { errcode: 'M_UNKNOWN', error: `cannot take ${String(exchange.bytes)}` },
  }));
  await login({ password: PASSPHRASE, device_id: 'OTHER' });
  await app.stub.setDown('reset');
  await login();
  app.clock.advance(20 * MINUTE);
  await app.proxy.keepHouse();
  await app.stub.setDown('error');
  await app.proxy.keepHouse();
  await app.stub.setDown(undefined);
  secrets.push(...app.stub.state.tokens.keys(), ...app.stub.state.refreshTokens.keys());
  return secrets;
}

async function startLogged(): Promise<string[]> {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => void lines.push(line) });
  ({ app, bob } = await startSignIns({ log, users: [{ name: 'bob', password: PASSPHRASE }] }));
  return lines;
}

test('attack 70: the log of a whole day holds no secret', async () => {
  const lines = await startLogged();
  const secrets = await liveThroughADay();
  const text = lines.join('');
  expect(lines.length).toBeGreaterThan(0);
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test('attack 70: the audit of a whole day holds none', async () => {
  await startLogged();
  const secrets = await liveThroughADay();
  const text = JSON.stringify(await app.storage.audit.list({}));
  expect(text).toContain('login.completed');
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test('R11: the files of the database hold no password, token, session id, seed or recovery code', async () => {
  await startLogged();
  const secrets = await liveThroughADay();
  const inTheDark = secrets.filter((secret) => secret.length > 6);
  const challenge = await post(app, LOGIN, passwordLogin('bob', PASSPHRASE)).catch(() => undefined);
  if (challenge) inTheDark.push(String(challenge.body.session));
  const files = readdirSync(app.directory).filter((name) => name.startsWith('2fa.db'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const bytes = readFileSync(join(app.directory, file));
    for (const secret of inTheDark) expect(bytes.includes(secret)).toBe(false);
    expect(bytes.includes(bob.seed)).toBe(false);
  }
});
