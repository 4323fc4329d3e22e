import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  BOBS_PASSWORD,
  bobsPassword,
  DELETE_DEVICES,
  GUARDED_CALLS,
  type GuardedApp,
  startGuarded,
  TOTP,
} from './guarded.ts';

const SET_UP = '/_matrix/client/v3/account/two-factor/totp';
const TEXT = 'This session was signed in by OAuth; sign in with the password.';
/** What asks for User-Interactive Authentication. */
const GUARDED =
  /(POST|DELETE) .*\/(delete_devices|devices\/|account\/|keys\/device_signing|login\/get_token)/;

let it: GuardedApp;
let oauthToken: string;
beforeEach(async () => {
  it = await startGuarded();
  oauthToken = it.app.stub.signIn('bob', 'OAUTHPHONE').token;
  // As continuwuity's sessions of its own OAuth were measured.
  it.app.stub.override(GUARDED, ({ headers }, next) => {
    const isOAuth = headers.authorization !== `Bearer ${it.bobsToken}`;
    return isOAuth ? { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'Not allowed' } } : next();
  });
});
afterEach(() => it.app.stop());

const refused = { errcode: 'M_FORBIDDEN', error: TEXT };

test.each(GUARDED_CALLS)(
  'attack 158: $name in a session of OAuth: 403, no code is looked at',
  async (call) => {
    const code = it.app.code(it.bob);
    const oneShot = bobsPassword(`${BOBS_PASSWORD} ${code}`);
    for (const auth of [undefined, {}, { type: TOTP, token: code }, oneShot]) {
      const { status, json } = await it.asBob(call, auth, { token: oauthToken });
      expect([status, json]).toEqual([403, refused]);
    }
    for (let wrong = 0; wrong < 6; wrong++) {
      await it.asBob(call, { type: TOTP, token: it.app.wrongCode(it.bob) }, { token: oauthToken });
    }
    expect(it.upstream()).toEqual([]);
    // The code is as good as before, in a session that the password made.
    expect((await it.asBob(DELETE_DEVICES, oneShot)).status).toBe(200);
  },
);

test('attack 158: set-up in a session of OAuth', async () => {
  const token = it.app.stub.signIn('alice', 'OAUTHTOO').token;
  for (const json of [{}, { auth: { type: 'm.login.password', password: 'battery staple' } }]) {
    const { status, json: told } = await it.ask({ method: 'POST', target: SET_UP, token, json });
    expect([status, told]).toEqual([403, refused]);
  }
  const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
  const more = await it.ask({ method: 'POST', target: SET_UP, token: oauthToken, json: { auth } });
  expect([more.status, more.json]).toEqual([403, refused]);
  const off = await it.ask({ method: 'DELETE', target: SET_UP, token: oauthToken, json: { auth } });
  expect([off.status, off.json]).toEqual([403, refused]);
  expect((await it.asBob(DELETE_DEVICES, auth)).status).toBe(200);
});

test('a session is asked about once, not with every code', async () => {
  const { json } = await it.asBob(DELETE_DEVICES);
  it.app.stub.clear();
  const wrong = { type: TOTP, session: json.session, token: it.app.wrongCode(it.bob) };
  await it.authAlone(DELETE_DEVICES, wrong as { type: string });
  await it.asBob(DELETE_DEVICES);
  expect(it.app.stub.requestsTo('delete_devices')).toEqual([]);
});
