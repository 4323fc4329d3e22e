import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { validator } from '../../src/matrix/registry.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { enter } from '../support/entries.ts';

const ROOT = '/_matrix/client/unstable/org.matrix.2fa';
const STATE = '/_matrix/client/v3/account/two-factor';

let app: TestApp;
let bob: Enrolled;
let token: string;
let mallory: string;

beforeEach(async () => {
  app = await startApp({
    users: [
      { name: 'bob', password: 'pw' },
      { name: 'mallory', password: 'other' },
    ],
  });
  bob = await app.enrol('bob');
  token = await signIn('bob', `pw ${app.code(bob)}`);
  mallory = await signIn('mallory', 'other');
});
afterEach(() => app.stop());

async function signIn(name: string, password: string): Promise<string> {
  const { json } = await app.post(LOGIN, passwordLogin(name, password));
  return String(json.access_token);
}

const bearer = (whose: string) => ({ Authorization: `Bearer ${whose}` });

function rename(whose: string, id: string, body: object) {
  return supertest(app.url).put(`${ROOT}/authenticators/${id}`).set(bearer(whose)).send(body);
}

async function nameNow(): Promise<string> {
  const { body } = await supertest(app.url).get(STATE).set(bearer(token));
  return body.providers['m.login.2fa.totp'].authenticators[0].name;
}

describe('renaming an authenticator', () => {
  test('gives it the name, by the access token alone, and is on record', async () => {
    const answer = await rename(token, bob.authenticatorId, { name: 'old phone' }).expect(200);
    expect(answer.body).toEqual({});
    expect(await nameNow()).toBe('old phone');
    const [newest] = await app.storage.audit.list({ userId: bob.userId, limit: 1 });
    expect(newest).toMatchObject({
      event: 'totp.renamed',
      address: '127.0.0.1',
      detail: { authenticator: bob.authenticatorId },
    });
  });

  test('is not for others: to them it is unknown', async () => {
    const answer = await rename(mallory, bob.authenticatorId, { name: 'mine' }).expect(404);
    expect(answer.body.errcode).toBe('M_NOT_FOUND');
    await rename(token, 'unknown', { name: 'x' }).expect(404);
    expect(await nameNow()).toBe('phone');
  });

  test.each([[{}], [{ name: '' }], [{ name: 5 }], [{ name: 'x'.repeat(101) }], [{ name: 'x', seed: 'A' }]])(
    'with %j is refused',
    async (body) => {
      const answer = await rename(token, bob.authenticatorId, body).expect(400);
      expect(answer.body.errcode).toBe('M_BAD_JSON');
      expect(await nameNow()).toBe('phone');
    },
  );

  test.each([
    ...['a\u0000b', 'a\nb', '\u001b[2J', '\u007f', '\u0085', '\u009b31m'],
    ...['\u202ephone', '\u2066x\u2069', '\u200f', '\u061c', 'a\u2028b', 'a\u2029b'],
  ])('attack 171: the name %j is refused, here and at the set-up', async (name) => {
    const renamed = await rename(token, bob.authenticatorId, { name }).expect(400);
    const begun = await supertest(app.url)
      .post(`${STATE}/totp`)
      .set(bearer(token))
      .send({ name })
      .expect(400);
    for (const { body } of [renamed, begun]) {
      expect(body).toEqual({ errcode: 'M_BAD_JSON', error: '`name` does not have the expected form.' });
    }
    expect(await nameNow()).toBe('phone');
  });

  test.each(['Телефон', 'هاتف', '👩‍💻 phone', 'क्ष', "Bob's <phone>"])('the name %j is one', async (name) => {
    await rename(token, bob.authenticatorId, { name }).expect(200);
    expect(await nameNow()).toBe(name);
  });

  test('needs a token', async () => {
    const answer = await supertest(app.url).put(`${ROOT}/authenticators/x`).send({ name: 'x' }).expect(401);
    expect(answer.body.errcode).toBe('M_MISSING_TOKEN');
  });
});

describe('the history', () => {
  test('is of the caller alone, the newest first, and of the specified shape', async () => {
    await rename(token, bob.authenticatorId, { name: 'old phone' });
    const { body } = await supertest(app.url).get(`${ROOT}/history`).set(bearer(token)).expect(200);
    const check = validator('history_answer');
    expect(check(body) || check.errors).toBe(true);
    expect(body.events.map(({ event }: { event: string }) => event)).toEqual([
      'totp.renamed',
      'login.completed',
      'totp.used',
    ]);
    const others = await supertest(app.url).get(`${ROOT}/history`).set(bearer(mallory)).expect(200);
    expect(others.body).toEqual({ events: [] });
  });

  test('says what was approved, of how many devices, and how many recovery codes were left', async () => {
    app.clock.advance(30_000);
    const removal = (devices: string[], code: string) => {
      const identifier = { type: 'm.id.user', user: bob.userId };
      const auth = { type: 'm.login.password', identifier, password: `pw ${code}` };
      return app.post('/_matrix/client/v3/delete_devices', { devices, auth }, token);
    };
    expect((await removal(['ONE', 'TWO'], app.code(bob))).status).toBe(200);
    expect((await removal(['ONE'], bob.recoveryCodes[0] ?? '')).status).toBe(200);
    const { body } = await supertest(app.url).get(`${ROOT}/history`).set(bearer(token)).expect(200);
    const check = validator('history_answer');
    expect(check(body) || check.errors).toBe(true);
    const told = body.events.map(({ event, detail }: { event: string; detail: object }) => [event, detail]);
    expect(told.slice(0, 4)).toEqual([
      ['guard.passed', { action: 'remove_devices', devices: 1 }],
      ['recovery.used', { position: 1, remaining: bob.recoveryCodes.length - 1 }],
      ['guard.passed', { action: 'remove_devices', devices: 2 }],
      ['totp.used', { authenticator: bob.authenticatorId }],
    ]);
  });

  test('keeps what the operator wrote down to themselves', async () => {
    await enter(app.storage, {
      at: app.clock.now(),
      userId: bob.userId,
      event: 'operator.reset',
      address: null,
      deviceId: null,
      detail: { reason: 'lost phone', verified_by: 'passport', authenticators: 1 },
    });
    const { body } = await supertest(app.url).get(`${ROOT}/history`).set(bearer(token)).expect(200);
    expect(body.events[0]).toEqual({
      at: app.clock.now(),
      event: 'operator.reset',
      address: null,
      device_id: null,
      detail: {},
    });
  });

  test('shows at most a hundred events, and of frequent ones eleven', async () => {
    for (let count = 0; count < 105; count++) {
      await enter(app.storage, {
        at: app.clock.now(),
        userId: bob.userId,
        event: count % 2 === 0 ? 'guard.passed' : 'factor.refused',
        address: null,
        deviceId: null,
        detail: {},
      });
    }
    const { body } = await supertest(app.url).get(`${ROOT}/history`).set(bearer(token)).expect(200);
    const refused = body.events.filter(({ event }: { event: string }) => event === 'factor.refused');
    expect(refused).toHaveLength(11);
    expect(body.events.length).toBeLessThanOrEqual(100);
  });

  test('needs a token', async () => {
    await supertest(app.url).get(`${ROOT}/history`).expect(401);
  });
});

test('nothing else under that name passes to the homeserver', async () => {
  app.stub.requests.length = 0;
  await supertest(app.url).get(`${ROOT}/authenticators`).set(bearer(token)).expect(404);
  await supertest(app.url).get(`${ROOT}/authenticators/a/b`).set(bearer(token)).expect(404);
  await supertest(app.url).delete(`${ROOT}/authenticators/a`).set(bearer(token)).expect(405);
  expect(app.stub.requests).toEqual([]);
});
