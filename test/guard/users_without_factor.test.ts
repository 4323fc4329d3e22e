import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { call as exchange } from '../support/http.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  CHANGE_PASSWORD,
  challengeIn,
  DEACTIVATE,
  DELETE_DEVICES,
  GUARDED_CALLS,
  type GuardedApp,
  type GuardedCall,
  PASSWORD,
  startGuarded,
} from './guarded.ts';

const ALICE = { type: 'm.id.user', user: '@alice:localhost' };

describeGuarded(() => {
  const asAlice = ({ method, target, body }: GuardedCall, auth?: JsonObject) =>
    it.app.call({ method, target, token: it.alicesToken, json: auth ? { ...body, auth } : body });

  test.each(GUARDED_CALLS)(
    "attack 103: $name with one's own token and the victim's name and right password is refused",
    async (call) => {
      const victim = { type: 'm.id.user', user: '@bob:localhost' };
      const names = [
        { identifier: victim },
        { user: '@bob:localhost' },
        { user: 'bob' },
        { identifier: ALICE, user: 'bob' },
        { identifier: victim, user: 'alice' },
        { identifier: { ...victim, type: 'm.id.phone' } },
        { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' } },
        { identifier: ALICE, medium: 'email', address: 'bob@example.org' },
      ];
      for (const named of names) {
        for (const more of [{}, { session: 'of the homeserver' }, { session: null }]) {
          const auth = { type: PASSWORD, password: BOBS_PASSWORD, ...named, ...more } as JsonObject;
          const answer = await asAlice(call, auth);
          expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
        }
      }
      expect(it.upstream()).toEqual([]);
      expect(it.app.stub.isDeactivated('bob')).toBe(false);
      expect(it.app.stub.passwordOf('bob')).toBe(BOBS_PASSWORD);
    },
  );

  test("the homeserver's own challenge comes back as it is, and its password stage works", async () => {
    const first = await asAlice(CHANGE_PASSWORD);
    const direct = await exchange(it.app.stub.url, {
      target: CHANGE_PASSWORD.target,
      token: it.alicesToken,
      json: CHANGE_PASSWORD.body,
    });
    const shape = (json: JsonObject) => ({ ...json, session: typeof json.session });
    // tuwunel's second flow is for a JSON Web Token, which says who is meant (attack 156).
    const expected = { ...shape(direct.json), flows: [{ stages: [PASSWORD] }] };
    expect([first.status, shape(first.json)]).toEqual([direct.status, expected]);
    expect(challengeIn(first).isOurs).toBe(false);
    const session = first.json.session as string;
    const auth = { type: PASSWORD, identifier: ALICE, password: ALICES_PASSWORD, session };
    expect((await asAlice(CHANGE_PASSWORD, auth)).status).toBe(200);
    expect(it.app.stub.passwordOf('alice')).toBe('entirely different words');
  });

  test('one look-up is all that users without 2FA pay', async () => {
    await asAlice(DELETE_DEVICES);
    expect(it.app.stub.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /_matrix/client/v3/account/whoami',
      `POST ${DELETE_DEVICES.target}`,
    ]);
  });

  test.each(GUARDED_CALLS)(
    'attack 21: two tokens, or none that is well formed, on $name: 401',
    async (call) => {
      const { method, target, body: json } = call;
      const bearer = `Bearer ${it.bobsToken}`;
      const calls = [
        { target: `${target}?access_token=${it.alicesToken}`, headers: { authorization: bearer } },
        { target: `${target}?access_token=${it.bobsToken}`, headers: { authorization: bearer } },
        { target: `${target}?access_token=a&access_token=b`, headers: {} },
        { target, headers: { authorization: [bearer, `Bearer ${it.alicesToken}`] } },
      ];
      for (const what of calls) {
        const answer = await it.ask({ method, json, ...what });
        expect([answer.status, answer.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
      }
      expect(it.app.stub.requests).toEqual([]);
    },
  );

  test.each(GUARDED_CALLS)(
    'attack 105: an odd Authorization on $name: 401, and it goes nowhere',
    async (call) => {
      const { method, target, body: json } = call;
      for (const token of [it.bobsToken, it.alicesToken]) {
        const odd = [
          `bearer ${token}`,
          `Bearer  ${token}`,
          `Basic ${token}`,
          token,
          `BEARER ${token}`,
          `Bearer\t${token}`,
        ];
        for (const authorization of odd) {
          for (const query of ['', `?access_token=${token}`]) {
            const answer = await it.ask({ method, target: target + query, json, headers: { authorization } });
            expect([answer.status, answer.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
          }
        }
      }
      expect(it.app.stub.requests).toEqual([]);
    },
  );

  test('attack 22: a user_id in the query is dropped, and names no one', async () => {
    const target = `${DELETE_DEVICES.target}?user_id=@alice:localhost`;
    const asBob = await it.asBob(DELETE_DEVICES, undefined, { target });
    expect(challengeIn(asBob)).toMatchObject({ status: 401, isOurs: true });
    const asAlice = `${DEACTIVATE.target}?user_id=@bob:localhost&user%5fid=@bob:localhost`;
    await it.app.call({ target: asAlice, token: it.alicesToken, json: DEACTIVATE.body });
    expect(it.upstream()).toEqual([`POST ${DEACTIVATE.target}`]);
    expect(it.app.stub.requests.every(({ target: reached }) => !reached.includes('user'))).toBe(true);
  });

  test('attack 23: a Connection header that names Authorization does not take the token away', async () => {
    const headers = { connection: 'close, Authorization' };
    const asBob = await it.asBob(CHANGE_PASSWORD, undefined, { headers });
    expect(challengeIn(asBob)).toMatchObject({ status: 401, isOurs: true });
    await it.app.call({
      target: CHANGE_PASSWORD.target,
      token: it.alicesToken,
      json: CHANGE_PASSWORD.body,
      headers,
    });
    const [sent] = it.app.stub.requestsTo('password');
    expect(sent?.headers.authorization).toBe(`Bearer ${it.alicesToken}`);
  });
});

describe('tokens of application services', () => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded({
      applicationServices: [{ token: 'unlisted_token', senderLocalpart: 'bob', prefix: 'bridge_' }],
    });
  });
  afterEach(() => it.app.stop());

  test('attack 22: one that the operator did not list is an ordinary token', async () => {
    it.app.stub.override('/account/whoami', () => ({ status: 200, body: { user_id: '@bob:localhost' } }));
    const target = `${DELETE_DEVICES.target}?user_id=@bridge_x:localhost`;
    const answer = await it.asBob(DELETE_DEVICES, undefined, { target, token: 'unlisted_token' });
    expect(challengeIn(answer)).toMatchObject({ status: 401, isOurs: true });
    expect(it.upstream()).toEqual([]);
  });
});
