import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Json, JsonObject } from '../../src/matrix/wire.ts';
import type { StubAnswer } from '../support/stub/exchange.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  CHANGE_PASSWORD,
  DEACTIVATE,
  DELETE_DEVICE,
  DELETE_DEVICES,
  GUARDED_CALLS,
  type GuardedApp,
  type GuardedCall,
  PASSWORD,
  RECOVERY,
  startGuarded,
  TOTP,
} from './guarded.ts';

const JWT = 'org.matrix.login.jwt';
const TERMS = 'm.login.terms';
const ALICE = { type: 'm.id.user', user: '@alice:localhost' };

let it: GuardedApp;
afterEach(() => it.app.stop());

function asAlice({ method, target, body }: GuardedCall, auth?: Json) {
  return it.app.call({
    method,
    target,
    token: it.alicesToken,
    json: auth === undefined ? body : { ...body, auth },
  });
}

function authsSent(call: GuardedCall): (Json | undefined)[] {
  return it.app.stub.requests.filter(({ target }) => target === call.target).map(({ json }) => json?.auth);
}

describe('before tuwunel, which takes a JWT for its owner', () => {
  beforeEach(async () => {
    it = await startGuarded({ personality: 'tuwunel' });
  });

  test.each(GUARDED_CALLS)("attack 156: a victim's JWT on $name of one's own is refused", async (call) => {
    const token = it.app.stub.mintJwt('bob');
    for (const more of [{}, { session: 'of the homeserver' }, { identifier: ALICE, user: 'alice' }]) {
      const answer = await asAlice(call, { type: JWT, token, ...more });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
    }
    expect(it.upstream()).toEqual([]);
    expect(it.app.stub.isDeactivated('bob')).toBe(false);
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
    expect(it.app.stub.passwordOf('bob')).toBe(BOBS_PASSWORD);
  });

  test.each([DELETE_DEVICES, DELETE_DEVICE, CHANGE_PASSWORD, DEACTIVATE])(
    'attack 156: flows that need a JWT are left out of the challenge of $name',
    async (call) => {
      const { status, json } = await asAlice(call);
      expect([status, json.flows]).toEqual([401, [{ stages: [PASSWORD] }]]);
      const auth = { type: PASSWORD, identifier: ALICE, password: ALICES_PASSWORD, session: json.session };
      expect((await asAlice(call, auth as JsonObject)).status).toBe(200);
    },
  );

  test("attack 156: with 2FA, the owner's own proof does not open the way for another's JWT", async () => {
    // An account without a password is led on to what else the homeserver wants.
    it.app.stub.user('bob').password = null;
    const unwind = it.app.stub.override(DEACTIVATE.target, (_, next) => {
      const answer = next();
      if (typeof answer !== 'object' || answer.status !== 401) return answer;
      return {
        ...answer,
        body: { ...(answer.body as JsonObject), flows: [{ stages: [JWT] }, { stages: [TERMS] }] },
      };
    });
    const session = String((await it.asBob(DEACTIVATE)).json.session);
    await it.authAlone(DEACTIVATE, { type: TOTP, session, token: it.app.code(it.bob) });
    const led = await it.authAlone(DEACTIVATE, { type: PASSWORD, session, password: BOBS_PASSWORD });
    expect(led.json.flows).toEqual([{ stages: [TOTP, TERMS] }]);
    const victims = { type: JWT, session, token: it.app.stub.mintJwt('alice') };
    expect((await it.authAlone(DEACTIVATE, victims)).status).toBe(400);
    expect(it.app.stub.isDeactivated('alice')).toBe(false);
    unwind();
  });
});

describe.each(['dendrite', 'tuwunel'] as PersonalityName[])('before %s', (personality) => {
  beforeEach(async () => {
    it = await startGuarded({ personality });
  });

  test.each(GUARDED_CALLS)(
    'attack 157: $name takes no stage that says or may say who is meant, nor an odd one',
    async (call) => {
      const odd: Json[] = [
        { type: 'm.login.token', token: it.app.stub.mintLoginToken('bob') },
        { type: 'm.login.application_service', identifier: ALICE },
        { type: 'M.LOGIN.PASSWORD', identifier: ALICE, password: ALICES_PASSWORD },
        { type: 'm.login.password ', identifier: ALICE, password: ALICES_PASSWORD },
        { type: 'org.example.unknown' },
        { type: 'm.login.email.identity', threepid_creds: { sid: 'sid1', client_secret: 'secret' } },
        { type: '' },
        { type: '__proto__' },
        { type: TOTP, token: '123456' },
        { type: RECOVERY, token: 'aaaa-bbbb-cccc' },
        // Without a type, some servers guess one.
        { identifier: ALICE, password: ALICES_PASSWORD },
        { session: 'of the homeserver', password: ALICES_PASSWORD },
        { session: 'of the homeserver', token: it.app.stub.mintLoginToken('bob') },
      ];
      for (const auth of odd) {
        const { status, json } = await asAlice(call, auth);
        expect([auth, status, json.errcode]).toEqual([auth, 400, 'M_INVALID_PARAM']);
      }
      for (const type of [5, true, {}, [PASSWORD], [[JWT]]]) {
        const { status, json } = await asAlice(call, { type, password: ALICES_PASSWORD } as JsonObject);
        expect([type, status, json.errcode]).toEqual([type, 400, 'M_BAD_JSON']);
      }
      expect(it.upstream()).toEqual([]);
    },
  );

  test('attack 157: stages that say nothing of anyone pass, without names; a session alone, too', async () => {
    const session = 'of the homeserver';
    const passing: JsonObject[] = [
      { type: 'm.login.dummy' },
      { type: TERMS },
      { type: 'm.login.recaptcha', response: 'captcha' },
      { type: 'm.login.registration_token', token: 'invited' },
      { type: 'm.login.sso' },
      { type: 'm.oauth' },
    ];
    const named = { identifier: { type: 'm.id.user', user: '@bob:localhost' }, user: 'bob', password: 'x' };
    for (const auth of passing) await asAlice(DELETE_DEVICES, { ...auth, session, ...named });
    await asAlice(DELETE_DEVICES, { session });
    await asAlice(DELETE_DEVICES, { type: null, session });
    expect(authsSent(DELETE_DEVICES)).toEqual([
      ...passing.map((auth) => ({ ...auth, session })),
      { session },
      { session },
    ]);
  });

  test.each([
    ['full id', { identifier: ALICE }],
    ['local part', { identifier: { type: 'm.id.user', user: 'alice' } }],
    ['capitals', { identifier: { type: 'm.id.user', user: '@ALICE:localhost' } }],
    ['user', { user: 'alice' }],
    ['both', { identifier: ALICE, user: 'Alice' }],
    ['nothing', {}],
  ])('attack 48: without 2FA too, the owner by %s is their full id upstream', async (_, named) => {
    const auth = { type: PASSWORD, password: ALICES_PASSWORD, ...named, extra: 'x' } as JsonObject;
    expect((await asAlice(DELETE_DEVICES, auth)).status).toBe(200);
    expect(authsSent(DELETE_DEVICES)).toEqual([
      { type: PASSWORD, identifier: ALICE, password: ALICES_PASSWORD },
    ]);
  });
});

describe("a homeserver's challenge to a caller without 2FA", () => {
  const offering = (flows: Json): StubAnswer => ({
    status: 401,
    body: { session: 's', flows, params: { [JWT]: { issuer: 'x' }, [TERMS]: {} } },
    headers: { 'x-of-the-homeserver': 'yes' },
  });
  beforeEach(async () => {
    it = await startGuarded();
  });

  test('attack 156: loses what no one may use, and keeps the rest', async () => {
    const flows = [
      { stages: [PASSWORD, TERMS] },
      { stages: [JWT] },
      { stages: [PASSWORD, 'org.example.unknown'] },
      { stages: ['m.login.sso'] },
    ];
    it.app.stub.failNext(DEACTIVATE.target, offering(flows));
    const { status, json, headers } = await asAlice(DEACTIVATE);
    expect(status).toBe(401);
    expect(json).toEqual({ session: 's', flows: [flows[0], flows[3]], params: { [TERMS]: {} } });
    expect(headers['x-of-the-homeserver']).toBe('yes');
  });

  test('goes back byte for byte where everything in it may be used', async () => {
    const answer = offering([{ stages: [PASSWORD] }]);
    const text = `${JSON.stringify(answer.body)}\n`;
    const headers = { 'content-type': 'application/json' };
    it.app.stub.failNext(DEACTIVATE.target, { status: 401, body: text, headers });
    expect((await asAlice(DEACTIVATE)).text).toBe(text);
  });
});
