import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { METRICS } from '../../src/server/metrics.ts';
import { LonePerson, PASSWORDLESS, passwordless } from '../login/lone_person.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

const PASSWORD = 'correct horse';
const METRICS_ON = 'metrics: { listen: "127.0.0.1:0" }';
const V3 = '/_matrix/client/v3';

let app: TestApp;
let bob: Enrolled;

beforeAll(async () => {
  app = await startApp({
    users: [{ name: 'bob', password: PASSWORD }],
    config: METRICS_ON,
  });
  bob = await app.enrol('bob');
});

afterAll(() => app.stop());

function watch(target: string): Promise<HttpAnswer> {
  return call(app.proxy.metricsUrl ?? '', { target });
}

async function series(): Promise<Map<string, number>> {
  const { text } = await watch('/metrics');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function signIn(token: string): Promise<HttpAnswer> {
  const { json } = await app.post(LOGIN, passwordLogin('bob', PASSWORD));
  const auth: JsonObject = { type: 'm.login.2fa.totp', token, session: json.session };
  return app.post(LOGIN, { auth });
}

test('what happens is counted, and what is there is looked up', async () => {
  await signIn(app.wrongCode(bob));
  await signIn(app.code(bob));
  await app.call({ target: `${V3}/sync`, token: 'x' });
  const found = await series();
  const expected: Record<string, number> = {
    'm2fa_requests_total{route="login",outcome="challenged",reason="factor"}': 2,
    'm2fa_requests_total{route="login",outcome="refused",reason="wrong_code"}': 1,
    'm2fa_requests_total{route="login",outcome="released",reason="totp"}': 1,
    'm2fa_factor_checks_total{factor="totp",door="login",result="wrong"}': 1,
    'm2fa_factor_checks_total{factor="totp",door="login",result="accepted"}': 1,
    'm2fa_audit_entries_total{event="totp.used"}': 1,
    'm2fa_audit_entries_total{event="factor.refused"}': 1,
    'm2fa_audit_entries_total{event="login.completed"}': 1,
    'm2fa_request_seconds_count{group="login"}': 4,
    'm2fa_homeserver_seconds_count{call="login"}': 1,
    'm2fa_holds_ended_total{how="released"}': 1,
    'm2fa_ready{part="store"}': 1,
    'm2fa_ready{part="homeserver"}': 1,
    'm2fa_users{state="enrolled"}': 1,
    'm2fa_users{state="no_recovery_codes"}': 0,
    'm2fa_users{state="locked"}': 0,
    m2fa_holds: 0,
    m2fa_passing: 0,
  };
  const names = Object.keys(expected);
  expect(Object.fromEntries(names.map((name) => [name, found.get(name)]))).toEqual(expected);
  expect([...found.keys()].filter((name) => name.startsWith('m2fa_passed_total'))).toHaveLength(1);
  expect(found.get('m2fa_store_seconds_count{op="commit"}')).toBeGreaterThan(0);
  expect([...found.keys()].some((name) => name.startsWith('process_cpu'))).toBe(true);
});

test('a sign-in by a passkey alone ends no held login', async () => {
  const lone = await startApp({ ...passwordless(), config: `${PASSWORDLESS}\n${METRICS_ON}` });
  try {
    const carol = await LonePerson.enrolled(lone);
    expect((await carol.redeem(await carol.token())).status).toBe(200);
    const { text } = await call(lone.proxy.metricsUrl ?? '', { target: '/metrics' });
    expect(text).toContain('m2fa_requests_total{route="login",outcome="released",reason="login_token"} 1');
    expect(text).not.toContain('m2fa_holds_ended_total{');
  } finally {
    await lone.stop();
  }
});

test('a held login that is given to the account page is counted as released', async () => {
  const ended = async () => (await series()).get('m2fa_holds_ended_total{how="released"}') ?? 0;
  const before = await ended();
  const visitor = new Visitor(app.url);
  await visitor.open('/_2fa/account');
  await visitor.send({ user: 'bob', password: PASSWORD });
  expect(await ended()).toBe(before);
  await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
  expect(visitor.cookies.has('__Secure-m2fa_page')).toBe(true);
  expect(await ended()).toBe(before + 1);
});

test('held logins that no one took are counted once they are logged out', async () => {
  const ended = async () => (await series()).get('m2fa_holds_ended_total{how="expired"}') ?? 0;
  await app.post(LOGIN, passwordLogin('bob', PASSWORD));
  const before = await ended();
  expect((await series()).get('m2fa_holds')).toBe(1);
  app.clock.advance(10 * 60_000);
  expect((await series()).get('m2fa_logouts_waiting')).toBe(1);
  await app.proxy.keepHouse();
  expect(await ended()).toBe(before + 1);
});

test('attack 186: nothing that others chose is a label, and there are fewer than 2,000 series', async () => {
  const chosen = 'chosen-by-a-client';
  const { json } = await app.post(LOGIN, passwordLogin('bob', PASSWORD, { device_id: chosen }));
  await app.post(LOGIN, { auth: { type: `m.login.2fa.${chosen}`, token: chosen, session: json.session } });
  await app.post(LOGIN, passwordLogin(chosen, chosen));
  await app.call({
    target: `/${chosen}?x=${chosen}`,
    headers: { 'user-agent': chosen, 'x-request-id': chosen },
  });
  await app.call({ target: `${V3}/auth/m.login.2fa.${chosen}/fallback/web` });
  await app.call({ target: `${V3}/account/two-factor/${chosen}`, method: 'DELETE', token: chosen });
  await app.call({ target: `${V3}/rooms/${chosen}/messages` });
  const restore = app.stub.override(/whoami/, () => ({ status: 799, body: { errcode: chosen } }));
  await app.post(`${V3}/delete_devices`, { devices: [chosen] }, chosen);
  restore();
  const { text } = await watch('/metrics');
  for (const foreign of [chosen, 'bob', '127.0.0.1', '/_matrix']) expect(text).not.toContain(foreign);
  const found = await series();
  expect(found.size).toBeLessThan(2000);
});

test('the gauges of the store are left out while it is away, and the rest is there', async () => {
  const { read, check } = app.storage;
  const away = () => Promise.reject(new Error('away'));
  Object.assign(app.storage, { read: away, check: away });
  const found = await series();
  Object.assign(app.storage, { read, check });
  expect(found.get('m2fa_ready{part="store"}')).toBe(0);
  expect(found.has('m2fa_holds')).toBe(false);
  expect(found.get('m2fa_passing')).toBe(0);
});

test('health and readiness are there, nothing else', async () => {
  expect((await watch('/_2fa/health')).json).toEqual({ status: 'ok' });
  expect((await watch('/_2fa/ready')).status).toBe(200);
  for (const target of ['/', '/metrics/', LOGIN, '/_2fa/account'])
    expect((await watch(target)).status).toBe(404);
  expect((await app.call({ target: '/metrics' })).status).toBe(404);
});

test('docs/watch.md has every metric with its labels', () => {
  const page = readFileSync('docs/watch.md', 'utf8');
  const rows = [...page.matchAll(/^\| `m2fa_(\w+)(?:\{([\w,]+)\})?` \|/gm)];
  const told = Object.fromEntries(rows.map(([, name = '', labels]) => [name, labels?.split(',') ?? []]));
  const actual = Object.entries(METRICS).map(([name, { labelNames }]) => [name, [...labelNames]]);
  expect(told).toEqual(Object.fromEntries(actual));
});
