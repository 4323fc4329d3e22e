import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { seedIn } from '../account/account.ts';
import { LOGIN, type TestApp } from '../support/app.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { ask, MINUTE, PASSWORD, post, STEP, signIn, startSignIns, submit, TOTP } from './support.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CLIENT = '/_matrix/client';
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

/** The clock jumps, and housekeeping comes round. */
async function jump(ms: number): Promise<void> {
  app.clock.advance(ms);
  await app.proxy.keepHouse();
}

describe('a clock that was a day ahead', () => {
  test('attack 144: wrong codes: no wait is longer than an hour', async () => {
    app.clock.advance(DAY);
    const challenge = await signIn(app, 'bob');
    for (let attempt = 0; attempt < 5; attempt += 1) await submit(app, challenge, app.wrongCode(bob));
    await jump(-DAY);
    app.clock.advance(HOUR);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });

  test('attack 144: a held login and its session have ended', async () => {
    app.clock.advance(DAY);
    const challenge = await signIn(app, 'bob');
    await jump(-DAY);
    expect(app.stub.liveTokens('bob')).toEqual([device]);
    expect((await ask(app, challenge)).body.session).not.toBe(challenge.body.session);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });

  test('attack 144: a guarded session has ended', async () => {
    app.clock.advance(DAY);
    const body = { devices: ['OLD'] };
    const { session } = (await app.post(DELETE_DEVICES, body, device)).json;
    await jump(-DAY);
    const again = await app.post(DELETE_DEVICES, body, device);
    expect(again.status).toBe(401);
    expect(again.json.session).not.toBe(session);
  });

  test('attack 144: a set-up has ended', async () => {
    const alice = app.stub.signIn('alice').token;
    app.clock.advance(DAY);
    const identifier = { type: 'm.id.user', user: 'alice' };
    const auth = { type: 'm.login.password', identifier, password: PASSWORD };
    const target = `${CLIENT}/v3/account/two-factor/totp`;
    const { json } = await app.post(target, { name: 'phone', auth }, alice);
    await jump(-DAY);
    const token = codeAt(seedIn(json.seed), app.clock.now());
    const confirmed = await app.post(`${target}/confirm`, { setup_id: String(json.setup_id), token }, alice);
    expect(confirmed.status).toBe(404);
  });

  test('attack 144: a login token of get_token needs a code', async () => {
    app.clock.advance(DAY);
    const identifier = { type: 'm.id.user', user: 'bob' };
    const auth = { type: 'm.login.password', identifier, password: `${PASSWORD} ${app.code(bob)}` };
    const { json } = await app.post(`${CLIENT}/v1/login/get_token`, { auth }, device);
    await jump(-DAY);
    const answer = await post(app, LOGIN, { type: 'm.login.token', token: String(json.login_token) });
    expect(answer.status).toBe(401);
  });

  test('attack 144: a logout that was to be tried again is tried again within hours', async () => {
    await signIn(app, 'bob');
    app.stub.failNext('/logout', { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } });
    await jump(DAY);
    expect(app.stub.liveTokens('bob')).toHaveLength(2);
    await jump(-DAY + 10 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([device]);
  });
});

describe('a clock that jumps a day back', () => {
  test('attack 144: what was begun before has ended, and nothing reopens', async () => {
    const ended = await signIn(app, 'bob');
    app.clock.advance(6 * MINUTE);
    await app.proxy.keepHouse();
    const challenge = await signIn(app, 'bob');
    await jump(-DAY);
    expect(app.stub.liveTokens('bob')).toEqual([device]);
    for (const before of [ended, challenge]) {
      const late = await submit(app, before, app.code(bob));
      expect(late.status).toBe(401);
      expect(late.body.session).not.toBe(before.body.session);
    }
    const answer = await submit(app, await signIn(app, 'bob'), app.code(bob));
    expect(answer.status).toBe(200);
  });

  test('attack 144: a code that was accepted stays spent (62)', async () => {
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
    const spent = app.code(bob);
    await jump(-DAY);
    app.clock.advance(DAY - STEP / 2);
    const challenge = await signIn(app, 'bob');
    const answer = await post(app, LOGIN, {
      auth: { type: TOTP, session: challenge.body.session, token: spent },
    });
    expect(answer.status).toBe(401);
  });
});
