import { afterEach, describe, expect, test } from '@jest/globals';
import type { PersonalityName } from '../support/stub/personality.ts';
import {
  ADD_ADDRESS,
  BOBS_PASSWORD,
  bobsPassword,
  challengeIn,
  DELETE_DEVICE,
  DELETE_DEVICES,
  GET_TOKEN,
  type GuardedApp,
  type GuardedCall,
  startGuarded,
} from './guarded.ts';

const HOUR = 3_600_000;
const STEP = 30_000;

let it: GuardedApp;
afterEach(() => it.app.stop());

function withFreshCode(call: GuardedCall) {
  it.app.clock.advance(STEP);
  return it.asBob(call, bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`));
}

describe.each<[GuardedCall, PersonalityName]>([
  [GET_TOKEN, 'dendrite'],
  [GET_TOKEN, 'conduit'],
  [ADD_ADDRESS, 'dendrite'],
  [ADD_ADDRESS, 'tuwunel'],
])('$name', (call, personality) => {
  test(`attack 160: ${personality} says so once, then no code is asked for`, async () => {
    it = await startGuarded({ personality });
    const first = await withFreshCode(call);
    expect([first.status, first.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    it.app.stub.clear();
    it.app.clock.advance(STEP);
    const code = it.app.code(it.bob);
    const auth = bobsPassword(`${BOBS_PASSWORD} ${code}`);
    for (const again of [await it.asBob(call), await it.asBob(call, auth), await it.asBob(call, {})]) {
      expect([again.status, again.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    }
    expect(it.upstream()).toEqual([]);
    // Nothing was spent by that.
    expect((await it.asBob(DELETE_DEVICES, auth)).status).toBe(200);
  });
});

test('attack 160: what a user without 2FA was told is known, too', async () => {
  it = await startGuarded({ personality: 'dendrite' });
  const { method, target, body } = GET_TOKEN;
  expect((await it.app.call({ method, target, token: it.alicesToken, json: body })).status).toBe(404);
  expect((await it.asBob(GET_TOKEN)).status).toBe(404);
  expect(challengeIn(await it.asBob(ADD_ADDRESS))).toMatchObject({ status: 401, isOurs: true });
});

test('it is forgotten after an hour: the homeserver may have been upgraded', async () => {
  it = await startGuarded({ personality: 'dendrite' });
  await withFreshCode(GET_TOKEN);
  it.app.clock.advance(HOUR - STEP);
  expect((await it.asBob(GET_TOKEN)).status).toBe(404);
  it.app.clock.advance(STEP);
  expect(challengeIn(await it.asBob(GET_TOKEN))).toMatchObject({ status: 401, isOurs: true });
});

test('another 404, and one for a device id that someone chose, teach nothing', async () => {
  it = await startGuarded();
  const { method, target } = DELETE_DEVICE;
  const unrecognized = { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized' } };
  it.app.stub.failNext(target, unrecognized);
  expect((await it.app.call({ method, target, token: it.alicesToken, json: {} })).status).toBe(404);
  expect((await it.asBob(DELETE_DEVICE)).status).toBe(401);
  it.app.stub.failNext(GET_TOKEN.target, { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'x' } });
  await it.app.call({ method: 'POST', target: GET_TOKEN.target, token: it.alicesToken, json: {} });
  expect((await it.asBob(GET_TOKEN)).status).toBe(401);
});
