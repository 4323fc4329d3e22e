import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { seedIn } from '../account/account.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { operate } from '../support/operate.ts';
import { Visitor } from '../support/visitor.ts';
import { ask, PASSWORD, post, STEP, signIn, startSignIns, submit, TOTP } from './support.ts';

const CLIENT = '/_matrix/client';
const TWO_FACTOR = `${CLIENT}/v3/account/two-factor`;
const DELETE_DEVICES = `${CLIENT}/v3/delete_devices`;

let app: TestApp;
let bob: Enrolled;
/** A device of bob's. */
let device: string;

beforeEach(async () => {
  ({ app, bob } = await startSignIns());
  device = app.stub.signIn('bob', 'BOBSPHONE').token;
});

afterEach(() => app.stop());

/** Bob's password with a code that was not used before. */
function proof(): JsonObject {
  app.clock.advance(STEP);
  const password = `${PASSWORD} ${app.code(bob)}`;
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password };
}

async function change(method: string, target: string, body: JsonObject = {}): Promise<HttpAnswer> {
  const answer = await app.call({ method, target, token: device, json: { ...body, auth: proof() } });
  expect(answer.status).toBe(200);
  return answer;
}

async function setUpAnother(): Promise<void> {
  const { json } = await change('POST', `${TWO_FACTOR}/totp`, { name: 'tablet' });
  const token = codeAt(seedIn(json.seed), app.clock.now());
  const setup = { setup_id: String(json.setup_id), token };
  expect((await app.post(`${TWO_FACTOR}/totp/confirm`, setup, device)).status).toBe(200);
}

async function reset(): Promise<void> {
  const words = ['user', 'reset', bob.userId, '--reason', 'lost', '--verified-by', 'seen', '--yes'];
  expect((await operate(app, ...words)).code).toBe(0);
}

type Changes = Readonly<Record<string, () => Promise<unknown>>>;

const OFF: Changes = {
  '2FA off': () => change('DELETE', `${TWO_FACTOR}/totp`),
  'the last authenticator removed': () =>
    change('DELETE', `${TWO_FACTOR}/totp`, { authenticator_id: bob.authenticatorId }),
  'user reset': reset,
};

const STILL_ON: Changes = {
  '2FA off and on': async () => {
    await change('DELETE', `${TWO_FACTOR}/totp`);
    await app.enrol('bob');
  },
  'reset and on': async () => {
    await reset();
    await app.enrol('bob');
  },
  'an authenticator more': setUpAnother,
  'new recovery codes': () => change('POST', `${TWO_FACTOR}/recovery`),
  'no recovery codes': () => change('DELETE', `${TWO_FACTOR}/recovery`),
  'another password': () =>
    change('POST', `${CLIENT}/v3/account/password`, { new_password: 'new', logout_devices: false }),
};

describe('a login token of get_token', () => {
  async function issued(): Promise<string> {
    const { json } = await change('POST', `${CLIENT}/v1/login/get_token`);
    return String(json.login_token);
  }

  const redeem = (token: string) => post(app, LOGIN, { type: 'm.login.token', token });

  test.each(Object.keys(STILL_ON))('attack 153: after %s it needs a code', async (what) => {
    const token = await issued();
    await STILL_ON[what]?.();
    const answer = await redeem(token);
    expect(answer.status).toBe(401);
    expect(answer.body).not.toHaveProperty('access_token');
  });

  test('attack 153: after logout/all it needs a code', async () => {
    const token = await issued();
    expect((await app.post(`${CLIENT}/v3/logout/all`, {}, device)).status).toBe(200);
    expect((await redeem(token)).status).toBe(401);
  });

  test.each(Object.keys(OFF))('attack 153: after %s it is refused, and leaves no login', async (what) => {
    const token = await issued();
    await OFF[what]?.();
    const before = app.stub.liveTokens('bob');
    expect((await redeem(token)).status).toBe(403);
    expect(app.stub.liveTokens('bob')).toEqual(before);
    // One that the homeserver gives out from now on is none of ours.
    expect((await redeem(app.stub.mintLoginToken('bob'))).status).toBe(200);
  });

  test('attack 153: a change of another user’s factors leaves it as it is', async () => {
    const token = await issued();
    await app.enrol('alice');
    expect((await redeem(token)).status).toBe(200);
  });
});

describe('a guarded request that waits for its password', () => {
  test.each(Object.keys(STILL_ON))(
    'attack 180: ends with %s, and the change itself is done',
    async (what) => {
      const begun = await app.post(DELETE_DEVICES, { devices: ['OLD'] }, device);
      const session = String(begun.json.session);
      app.clock.advance(STEP);
      const withCode = { auth: { type: TOTP, session, token: app.code(bob) } };
      expect((await app.post(DELETE_DEVICES, withCode, device)).json.completed).toEqual([TOTP]);
      await STILL_ON[what]?.();
      app.stub.clear();
      const password = what === 'another password' ? 'new' : PASSWORD;
      const auth = { ...proof(), password, session };
      const late = await app.post(DELETE_DEVICES, { devices: ['OLD'], auth }, device);
      expect(late.status).not.toBe(200);
      expect(late.json.session).not.toBe(session);
      expect(app.stub.user('bob').password).toBe(password);
    },
  );
});

describe('a set-up that waits for its first code', () => {
  const setUps: Changes = {
    'new recovery codes': () => change('POST', `${TWO_FACTOR}/recovery`),
    'no recovery codes': () => change('DELETE', `${TWO_FACTOR}/recovery`),
    'another password': () =>
      change('POST', `${CLIENT}/v3/account/password`, { new_password: 'new', logout_devices: false }),
    'the last authenticator removed': () =>
      change('DELETE', `${TWO_FACTOR}/totp`, { authenticator_id: bob.authenticatorId }),
  };

  test.each(Object.keys(setUps))('attack 180: ends with %s', async (what) => {
    const { json } = await change('POST', `${TWO_FACTOR}/totp`, { name: 'thief' });
    await setUps[what]?.();
    const token = codeAt(seedIn(json.seed), app.clock.now());
    const setup = { setup_id: String(json.setup_id), token };
    expect((await app.post(`${TWO_FACTOR}/totp/confirm`, setup, device)).status).toBe(404);
  });

  test('attack 180: ends with a password that a user without 2FA changes', async () => {
    const thief = app.stub.signIn('alice', 'THIEF').token;
    const old = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'alice' },
      password: PASSWORD,
    };
    const { json } = await app.post(`${TWO_FACTOR}/totp`, { name: 'thief', auth: old }, thief);
    const owner = app.stub.signIn('alice', 'OWNER').token;
    const changed = { new_password: 'new', logout_devices: false, auth: old };
    expect((await app.post(`${CLIENT}/v3/account/password`, changed, owner)).status).toBe(200);
    const token = codeAt(seedIn(json.seed), app.clock.now());
    const setup = { setup_id: String(json.setup_id), token };
    expect((await app.post(`${TWO_FACTOR}/totp/confirm`, setup, thief)).status).toBe(404);
  });
});

describe('a sign-in that waits for its code while 2FA is turned off', () => {
  test.each(Object.keys(OFF))(
    'attack 39: %s: its session alone is told to sign in again, without 2FA flows; the whole body signs in',
    async (what) => {
      const challenge = await signIn(app, 'bob');
      await OFF[what]?.();
      for (const late of [await ask(app, challenge), await submit(app, challenge, '123456')]) {
        expect(late.status).toBe(403);
        expect(late.body.errcode).toBe('M_FORBIDDEN');
        expect(late.body).not.toHaveProperty('flows');
      }
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([device]);
      const whole = passwordLogin('bob', PASSWORD, { auth: { session: challenge.body.session } });
      expect((await post(app, LOGIN, whole)).status).toBe(200);
    },
  );

  test.each(Object.keys(OFF))(
    'attack 180: on the page, %s: no token, the login is logged out',
    async (what) => {
      const visitor = new Visitor(app.url);
      await visitor.open('/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F');
      await visitor.send({ user: 'bob', password: PASSWORD });
      app.clock.advance(STEP);
      await visitor.send({ code: app.code(bob) });
      await OFF[what]?.();
      const answer = await visitor.send({ decision: 'allow' });
      expect(answer.status).toBe(403);
      expect(answer.headers.location).toBeUndefined();
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([device]);
    },
  );

  test.each(Object.keys(OFF))('attack 180: at a repeated registration, %s: no token', async (what) => {
    const target = `${CLIENT}/v3/register`;
    app.stub.override('/register', () => ({
      status: 200,
      body: { user_id: bob.userId, device_id: 'NEW', access_token: app.stub.signIn('bob', 'NEW').token },
    }));
    const challenge = await post(app, target, { username: 'bob', auth: { type: 'm.login.dummy' } });
    expect(challenge.status).toBe(401);
    await OFF[what]?.();
    expect((await post(app, target, { auth: { session: challenge.body.session } })).status).toBe(403);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([device]);
  });

  test('attack 180: a code behind the password is for a user with 2FA only', async () => {
    await signIn(app, 'bob');
    await OFF['2FA off']?.();
    app.clock.advance(STEP);
    expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(403);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([device]);
  });
});
