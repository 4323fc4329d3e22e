import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { REASONS } from '../../src/matrix/outcome.ts';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import type { Unit } from '../../src/storage/statement.ts';
import { createLogger } from '../../src/system/logger.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { HARMFUL } from '../support/hostile_text.ts';
import { Visitor } from '../support/visitor.ts';

const PASSWORD = 'correct horse';
const V3 = '/_matrix/client/v3';

/** As docs/watch.md has them. */
const KEYS = [
  ...['level', 'time', 'event', 'outcome', 'reason', 'address', 'method', 'route', 'status', 'door'],
  'actor',
  ...['user_id', 'device_id', 'factor', 'request_id', 'ms', 'upstream_ms', 'msg'],
];

let app: TestApp;
let bob: Enrolled;
let token: string;
const lines: string[] = [];

beforeAll(async () => {
  const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => void lines.push(line) });
  app = await startApp({
    log,
    users: [{ name: 'bob', password: PASSWORD }],
    config: 'trusted_proxies: [127.0.0.1]',
  });
  bob = await app.enrol('bob');
  token = app.stub.signIn('bob', 'PHONE').token;
});

afterAll(() => app.stop());

beforeEach(async () => {
  await app.stub.setDown(undefined);
  app.clock.advance(60_000);
  lines.length = 0;
});

function requests(): JsonObject[] {
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request');
}

/** The one line that was written. */
function line(): JsonObject {
  const all = requests();
  expect(all).toHaveLength(1);
  return all[0] ?? {};
}

const login = (more: JsonObject = {}) => app.post(LOGIN, { ...passwordLogin('bob', PASSWORD), ...more });

async function sessionOf(answer: { json: unknown } | Promise<{ json: unknown }>): Promise<string> {
  const { json } = await answer;
  lines.length = 0;
  return isJsonObject(json) && typeof json.session === 'string' ? json.session : '';
}

async function withCode(session: string, code: string): Promise<void> {
  await app.post(LOGIN, { auth: { type: 'm.login.2fa.totp', token: code, session } });
}

const removal = (auth?: JsonObject) =>
  app.post(`${V3}/delete_devices`, { devices: ['OLD'], ...(auth && { auth }) }, token);

/** Each reason that needs no more than the stub, and how it comes about. */
const WAYS: readonly [outcome: string, reason: string, more: JsonObject, way: () => Promise<unknown>][] = [
  ['challenged', 'factor', { user_id: '@bob:localhost', route: 'login', status: 401 }, () => login()],
  [
    'released',
    'totp',
    { user_id: '@bob:localhost', factor: 'totp', status: 200 },
    async () => {
      await withCode(await sessionOf(login()), app.code(bob));
    },
  ],
  [
    'refused',
    'wrong_code',
    { user_id: '@bob:localhost', factor: 'totp', door: 'login' },
    async () => {
      await withCode(await sessionOf(login()), app.wrongCode(bob));
    },
  ],
  [
    'refused',
    'spent_code',
    { factor: 'totp' },
    async () => {
      const code = app.code(bob);
      await withCode(await sessionOf(login()), code);
      await withCode(await sessionOf(login()), code);
    },
  ],
  ['refused', 'wrong_password', { status: 403, user_id: undefined }, () => login({ password: 'no' })],
  ['refused', 'request', { status: 400, msg: 'The request body lacks `type`.' }, () => app.post(LOGIN, {})],
  [
    'refused',
    'session',
    { status: 401 },
    () => app.post(LOGIN, { auth: { type: 'm.login.2fa.totp', token: '1', session: 'x' } }),
  ],
  [
    'refused',
    'target',
    { status: 404, route: undefined, door: undefined },
    () => app.post(`${V3}/Login`, {}),
  ],
  [
    'refused',
    'token',
    { status: 401, door: 'guard' },
    () => app.post(`${V3}/delete_devices`, { devices: ['OLD'] }),
  ],
  [
    'refused',
    'owner',
    { status: 403 },
    () => removal({ type: 'm.login.password', password: 'x', user: '@eve:localhost' }),
  ],
  [
    'challenged',
    'password',
    { door: 'guard', user_id: '@bob:localhost', device_id: 'PHONE' },
    async () => {
      const session = await sessionOf(removal());
      await removal({ type: 'm.login.2fa.totp', token: app.code(bob), session });
    },
  ],
  [
    'released',
    'totp',
    { door: 'guard', route: 'delete_devices' },
    async () => {
      const session = await sessionOf(removal());
      await removal({ type: 'm.login.2fa.totp', token: app.code(bob), session });
      lines.length = 0;
      await removal({ type: 'm.login.password', password: PASSWORD, session });
    },
  ],
  [
    'failed',
    'homeserver_down',
    { status: 502, level: 'error' },
    async () => {
      await app.stub.setDown('reset');
      await login({ password: `other ${app.code(bob, 1)}` });
    },
  ],
  ['passed', 'none', { level: 'debug', route: 'health' }, () => app.call({ target: '/_2fa/health' })],
];

test.each(WAYS)('%s %s', async (outcome, reason, more, way) => {
  await way();
  expect(requests().at(-1)).toMatchObject({ event: 'request', outcome, reason, address: '127.0.0.1' });
  const last: JsonObject = requests().at(-1) ?? {};
  for (const [key, value] of Object.entries(more)) expect({ [key]: last[key] }).toEqual({ [key]: value });
  const at = Object.keys(last).map((key) => KEYS.indexOf(key));
  expect(at).toEqual([...at].sort((a, b) => a - b));
  expect(at).not.toContain(-1);
});

test('the sign-in page: wrong password, wrong code, right code', async () => {
  const visitor = new Visitor(app.url);
  const step = async (fields: Record<string, string>) => {
    lines.length = 0;
    await visitor.send(fields);
    // The page that the form leads to is another request.
    const [sent] = requests().filter(({ method }) => method === 'POST');
    const { outcome, reason, door, status, user_id: userId } = sent ?? {};
    return { outcome, reason, door, status, userId };
  };
  await visitor.open('/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F');
  const page = { door: 'page', userId: undefined };
  expect(await step({ user: 'bob', password: 'no' })).toEqual({
    ...page,
    outcome: 'refused',
    reason: 'wrong_password',
    status: 303,
  });
  const known = { door: 'page', userId: '@bob:localhost' };
  expect(await step({ user: 'bob', password: PASSWORD })).toEqual({
    ...known,
    outcome: 'challenged',
    reason: 'factor',
    status: 303,
  });
  expect(await step({ code: app.wrongCode(bob) })).toEqual({
    ...known,
    outcome: 'refused',
    reason: 'wrong_code',
    status: 303,
  });
  expect(await step({ code: app.code(bob) })).toMatchObject({ ...known, outcome: 'passed' });
});

test('each request gives one line', async () => {
  await login();
  expect(line()).toMatchObject({ outcome: 'challenged', level: 'info' });
});

test('a request that is passed on gives none', async () => {
  await app.call({ target: `${V3}/sync` });
  expect(requests()).toEqual([]);
});

test('attack 182: a code whose client hangs up before the answer is in the log', async () => {
  const session = await sessionOf(login());
  const { commit } = app.storage;
  let judged: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    const slow = async (accounts: readonly string[], unit: Unit) => {
      resolve();
      await new Promise<void>((go) => {
        judged = go;
      });
      return commit(accounts, unit);
    };
    Object.assign(app.storage, { commit: slow });
  });
  const gone = new AbortController();
  const auth = { type: 'm.login.2fa.totp', token: app.wrongCode(bob), session };
  const asked = app.call({ target: LOGIN, json: { auth }, signal: gone.signal });
  await reached;
  gone.abort();
  await asked.catch(() => undefined);
  Object.assign(app.storage, { commit });
  judged();
  while (requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(line()).toMatchObject({ outcome: 'refused', reason: 'wrong_code', user_id: '@bob:localhost' });
});

test('docs/watch.md has the keys, outcomes and reasons', () => {
  const page = readFileSync('docs/watch.md', 'utf8');
  const [, table = ''] = /\| key \| says \|\n\|.*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  expect(
    [...table.matchAll(/`([a-z_]+)`/g)].map(([, key]) => key).filter((key) => KEYS.includes(key ?? '')),
  ).toEqual(expect.arrayContaining(KEYS));
  const rows = [...page.matchAll(/^\| (?:`(\w+)`)? ?\| `(\w+)` \| (.*?)(?:;.*)? \|$/gm)];
  let outcome = '';
  const told: Record<string, Record<string, string>> = {};
  for (const [, named, reason = '', text = ''] of rows) {
    outcome = named ?? outcome;
    told[outcome] = { ...told[outcome], [reason]: text };
  }
  const { passed, ...others } = told;
  expect(passed).toEqual({ none: expect.any(String) });
  expect(others).toEqual(REASONS);
});

test('the id of a request: a trusted proxy gives it, it goes to the homeserver and back', async () => {
  const answer = await app.call({
    target: LOGIN,
    json: passwordLogin('bob', PASSWORD),
    headers: { 'x-request-id': 'edge-1.A_2' },
  });
  expect(answer.headers['x-request-id']).toBe('edge-1.A_2');
  expect(line().request_id).toBe('edge-1.A_2');
});

test('the id of a request stands once in an answer to which the homeserver, or what is before it, adds one', async () => {
  const restore = app.stub.override('/v3/logout', async (_exchange, next) => {
    const answer = await next();
    return typeof answer === 'object' && 'body' in answer
      ? { ...answer, headers: { ...answer.headers, 'X-Request-ID': 'theirs' } }
      : answer;
  });
  const answer = await app.post(`${V3}/logout`, {}, app.stub.signIn('bob', 'TABLET').token);
  restore();
  expect(answer.headers['x-request-id']).toBe(line().request_id);
});

test.each(['', 'a b', 'ä', 'x'.repeat(65), 'a\u0085b'])('the id %j is not taken', async (given) => {
  const answer = await app.call({
    target: '/_2fa/health',
    headers: { 'x-request-id': Buffer.from(given).toString('latin1') },
  });
  expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{16}$/);
  expect(line().request_id).toBe(answer.headers['x-request-id']);
});

test('attack 171: hostile names from the homeserver and in requests stand on one line, escaped', async () => {
  const hostile = 'A\u001b[2J\r\n{"level":"info","event":"request"}\u202e\u2028';
  const restore = app.stub.override(/whoami/, () => ({
    status: 200,
    body: { user_id: '@bob:localhost', device_id: hostile },
  }));
  await app.post(`${V3}/delete_devices`, { devices: [hostile] }, token);
  await app.post(LOGIN, passwordLogin(hostile, hostile, { device_id: hostile, [hostile]: hostile }));
  await app.post(LOGIN, { type: hostile });
  await app.call({ target: `${V3}/auth/m.login.2fa.${encodeURIComponent(hostile)}/fallback/web` });
  restore();
  expect(requests()[0]).toMatchObject({
    outcome: 'challenged',
    device_id: expect.stringContaining('\\u001b'),
  });
  expect(lines.length).toBeGreaterThan(3);
  for (const text of lines) {
    expect(text.trimEnd()).not.toMatch(/\n/);
    expect(text.trimEnd()).not.toMatch(HARMFUL);
  }
});
