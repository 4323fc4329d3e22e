import { expect, test } from '@jest/globals';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  codeFlows,
  DELETE_ADDRESS,
  DELETE_DEVICES,
  TOTP,
} from './guarded.ts';

describeGuarded(() => {
  const withCode = (password = BOBS_PASSWORD) => bobsPassword(`${password} ${it.app.code(it.bob)}`);

  test('a change of password ends the sign-ins and sessions that were under way', async () => {
    const held = await it.app.post(LOGIN, passwordLogin('bob', BOBS_PASSWORD));
    expect(held.status).toBe(401);
    const { session } = (await it.asBob(DELETE_DEVICES)).json;
    expect((await it.asBob(CHANGE_PASSWORD, withCode())).status).toBe(200);
    it.app.clock.advance(30_000);
    const late = await it.app.post(LOGIN, {
      auth: { type: TOTP, session: held.json.session as string, token: it.app.code(it.bob) },
    });
    expect(late.json.access_token).toBeUndefined();
    expect((await it.asBob(DELETE_DEVICES)).json.session).not.toBe(session);
    await it.app.proxy.keepHouse();
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE', 'OLDPHONE']);
  });

  test('what the homeserver refuses for another reason costs no second code', async () => {
    const weak = { status: 400, body: { errcode: 'M_WEAK_PASSWORD', error: 'too weak' } };
    it.app.stub.failNext('/account/password', weak);
    const { json } = await it.asBob(CHANGE_PASSWORD);
    const session = json.session as string;
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token: it.app.code(it.bob) });
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    const refused = await it.authAlone(CHANGE_PASSWORD, auth);
    expect([refused.status, refused.json]).toEqual([400, weak.body]);
    it.app.stub.failNext('/account/password', {
      status: 429,
      body: { errcode: 'M_LIMIT_EXCEEDED', error: 'slow down', retry_after_ms: 4000 },
    });
    const limited = await it.authAlone(CHANGE_PASSWORD, auth);
    expect([limited.status, limited.json.retry_after_ms, limited.headers['retry-after']]).toEqual([
      429,
      4000,
      '4',
    ]);
    expect((await it.authAlone(CHANGE_PASSWORD, auth)).status).toBe(200);
  });

  test.each([
    [
      'no completed, no params',
      401,
      { session: 'hs', flows: [{ stages: ['m.login.password'] }], errcode: 'M_FORBIDDEN', error: 'no' },
    ],
    [
      'completed and params null',
      401,
      {
        session: 'hs',
        flows: [{ stages: ['m.login.password'] }],
        params: null,
        completed: null,
        errcode: 'M_FORBIDDEN',
        error: 'no',
      },
    ],
    ['403 without flows', 403, { errcode: 'M_FORBIDDEN', error: 'Invalid password' }],
  ])('attack 110: a wrong password told with %s is our own whole 401', async (_, status, body) => {
    it.app.stub.override('/account/password', () => ({ status, body }));
    const answer = await it.asBob(CHANGE_PASSWORD, bobsPassword(`wrong ${it.app.code(it.bob)}`));
    expect(challengeIn(answer)).toMatchObject({
      status: 401,
      isOurs: true,
      completed: [TOTP],
      errcode: 'M_FORBIDDEN',
    });
    expect(codeFlows(answer)).toHaveLength(2);
    expect(answer.text).not.toContain('"hs"');
  });

  test('attack 110: a 403 for another reason than the password stays what it is', async () => {
    const body = { errcode: 'M_FORBIDDEN', error: 'Password changes are switched off here' };
    it.app.stub.override('/account/password', () => ({ status: 403, body }));
    const answer = await it.asBob(CHANGE_PASSWORD, withCode());
    expect([answer.status, answer.json]).toEqual([403, body]);
  });

  test.each([
    [403, { errcode: 'M_USER_DEACTIVATED', error: 'gone' }],
    [403, { errcode: 'M_USER_LOCKED', error: 'locked' }],
    [401, { errcode: 'M_UNKNOWN_TOKEN', error: 'who?', soft_logout: true }],
    [500, { errcode: 'M_UNKNOWN', error: 'Internal server error' }],
  ])('attack 110: %i %j of the homeserver is told as it is', async (status, body) => {
    it.app.stub.override('/account/password', () => ({ status, body }));
    const answer = await it.asBob(CHANGE_PASSWORD, withCode());
    expect([answer.status, answer.json]).toEqual([status, body]);
  });

  test('attack 110: a text of the homeserver that repeats code or password is replaced', async () => {
    it.app.stub.override('/account/password', ({ bytes }) => ({
      status: 400,
      body: { errcode: 'M_BAD_JSON', error: `cannot read ${bytes.toString()}` },
    }));
    const answer = await it.asBob(CHANGE_PASSWORD, withCode());
    expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    for (const secret of [BOBS_PASSWORD, 'entirely different words'])
      expect(answer.text).not.toContain(secret);
  });

  test.each([
    ['garbage', { status: 401, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a redirect', { status: 302, body: '', headers: { location: '/elsewhere' } }],
  ])('a homeserver that answers the probe with %s: 502, and nothing is done', async (_, answer) => {
    it.app.stub.override('/delete_devices', () => answer);
    const refused = await it.asBob(DELETE_ADDRESS, withCode());
    expect(refused.status).toBe(502);
    expect(it.upstream()).toEqual([]);
  });

  test('attack 109: where the probe says nothing, a wrong password is told wrong by a login, and nothing is done', async () => {
    it.app.stub.switches.uiaSessionTimeout = 3_600_000;
    const wrong = await it.asBob(DELETE_ADDRESS, withCode('wrong'));
    expect(challengeIn(wrong)).toMatchObject({ status: 401, completed: [TOTP], errcode: 'M_FORBIDDEN' });
    expect(it.upstream()).toEqual([`POST ${LOGIN}`]);
    expect(it.app.stub.user('bob').emails.size).toBe(1);
    it.app.clock.advance(30_000);
    expect((await it.asBob(DELETE_ADDRESS, withCode())).status).toBe(200);
    expect(it.app.stub.user('bob').emails.size).toBe(0);
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
  });

  test.each(['refuse', 'reset', 'error'] as const)(
    'a homeserver that is down (%s) is 502 or 503, never taken for a user without 2FA',
    async (mode) => {
      await it.app.stub.setDown(mode);
      const answer = await it.asBob(CHANGE_PASSWORD, withCode());
      expect([502, 503]).toContain(answer.status);
      await it.app.stub.setDown(undefined);
      expect((await it.asBob(CHANGE_PASSWORD, withCode())).status).toBe(200);
    },
  );
});
