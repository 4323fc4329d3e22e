import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import type { Override } from '../support/stub/stub.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import {
  ADD_ADDRESS,
  BOBS_PASSWORD,
  bobsPassword,
  challengeIn,
  codeFlows,
  DEACTIVATE,
  DELETE_ADDRESS,
  DELETE_DEVICES,
  type GuardedApp,
  type GuardedCall,
  PASSWORD,
  PERSONALITIES,
  RECOVERY,
  startGuarded,
  TOTP,
} from './guarded.ts';

const EMAIL = 'm.login.email.identity';
const TERMS = 'm.login.terms';
const CAPTCHA = 'm.login.recaptcha';
const SSO = 'm.login.sso';
const SSO_PAGE = '/_matrix/client/v3/auth/m.login.sso/fallback/web';

const PARAMS = { [CAPTCHA]: { public_key: 'site key' }, [TERMS]: { policies: {} } };

/** A homeserver that wants `flows` and takes each stage in its own session; `wrong: true` in a stage is a failure. */
function wants(flows: readonly (readonly string[])[], odd: JsonObject = {}): Override {
  const completed: string[] = [];
  const challenge = (more: JsonObject = {}) => ({
    status: 401,
    body: {
      session: 'homeserver_session',
      flows: flows.map((stages) => ({ stages: [...stages] })),
      params: PARAMS,
      completed: [...completed],
      ...odd,
      ...more,
    },
  });
  return ({ bytes }) => {
    const { auth } = JSON.parse(bytes.toString()) as JsonObject;
    if (!isJsonObject(auth)) return challenge();
    const wrong = auth.wrong === true || (auth.type === PASSWORD && auth.password !== BOBS_PASSWORD);
    if (wrong) return challenge({ errcode: 'M_FORBIDDEN', error: 'That was wrong' });
    if (typeof auth.type === 'string' && !completed.includes(auth.type)) completed.push(auth.type);
    const isDone = flows.some((flow) => flow.every((stage) => completed.includes(stage)));
    return isDone ? { status: 200, body: { id_server_unbind_result: 'success' } } : challenge();
  };
}

describe('a homeserver that wants more than a password', () => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded();
  });
  afterEach(() => it.app.stop());

  /** Code and password by stages; answers what came of the password. */
  async function withCodeAndPassword(call: GuardedCall) {
    const { json } = await it.asBob(call);
    const session = json.session as string;
    await it.authAlone(call, { type: TOTP, session, token: it.app.code(it.bob) });
    return it.authAlone(call, bobsPassword(BOBS_PASSWORD, { session }));
  }

  const authsSent = (call: GuardedCall) =>
    it.app.stub
      .requestsBesideLookups()
      .filter(({ target }) => target === call.target)
      .map(({ json }) => json?.auth);

  test('leads the client through its stages in a session that is ours', async () => {
    it.app.stub.override(ADD_ADDRESS.target, wants([[PASSWORD, EMAIL, TERMS]]));
    const led = await withCodeAndPassword(ADD_ADDRESS);
    const session = led.json.session as string;
    expect(challengeIn(led)).toEqual({
      status: 401,
      isOurs: true,
      flows: [[TOTP, PASSWORD, EMAIL, TERMS]],
      completed: [TOTP, PASSWORD],
      errcode: undefined,
    });
    expect(led.json.params).toEqual(PARAMS);

    const threepid_creds = { sid: 'sid1', client_secret: 'secret' };
    const next = await it.authAlone(ADD_ADDRESS, { type: EMAIL, session, threepid_creds });
    expect(challengeIn(next)).toMatchObject({ completed: [TOTP, PASSWORD, EMAIL], errcode: undefined });
    expect(next.json.session).toBe(session);
    // Asked again without auth, or after a restart, it stands where it stood.
    await it.app.shutDown();
    await it.app.start();
    expect((await it.asBob(ADD_ADDRESS)).json).toEqual(next.json);

    const done = await it.authAlone(ADD_ADDRESS, { type: TERMS, session });
    expect(done.status).toBe(200);
    expect(authsSent(ADD_ADDRESS)).toEqual([
      bobsPassword(),
      { type: EMAIL, session: 'homeserver_session', threepid_creds },
      { type: TERMS, session: 'homeserver_session' },
    ]);
    for (const { json } of it.app.stub.requestsBesideLookups()) expect(json).toMatchObject(ADD_ADDRESS.body);
    // Finished once.
    it.app.stub.clear();
    const again = await it.asBob(ADD_ADDRESS, { type: TERMS, session });
    expect(challengeIn(again)).toMatchObject({ status: 401, completed: [] });
    expect(it.upstream()).toEqual([]);
  });

  test('never shows its session id', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, CAPTCHA]]));
    const led = await withCodeAndPassword(DEACTIVATE);
    const session = led.json.session as string;
    const answers = [
      led,
      await it.authAlone(DEACTIVATE, { session }),
      await it.authAlone(DEACTIVATE, { type: CAPTCHA, session, wrong: true }),
      await it.asBob(DEACTIVATE),
    ];
    for (const { text } of answers) expect(text).not.toContain('homeserver_session');
    // Nor does it take it from anyone.
    const named = await it.asBob(DEACTIVATE, {
      type: CAPTCHA,
      session: 'homeserver_session',
      response: 'right',
    });
    expect(challengeIn(named)).toMatchObject({ status: 401, isOurs: true, completed: [] });
  });

  test('a wrong stage is told with its error, and five end the session', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, CAPTCHA]]));
    const { json } = await withCodeAndPassword(DEACTIVATE);
    const session = json.session as string;
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const wrong = await it.authAlone(DEACTIVATE, { type: CAPTCHA, session, response: 'no', wrong: true });
      expect(challengeIn(wrong)).toMatchObject({
        status: 401,
        completed: [TOTP, PASSWORD],
        errcode: 'M_FORBIDDEN',
      });
      expect(wrong.json.error).toBe('That was wrong');
    }
    const dead = await it.authAlone(DEACTIVATE, { type: CAPTCHA, session, response: 'right' });
    expect(dead.json.session).not.toBe(session);
    expect(authsSent(DEACTIVATE)).toHaveLength(6);
  });

  test('stages that neither of us offered, or out of their order, are not led on', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, EMAIL, TERMS]]));
    const { json } = await withCodeAndPassword(DEACTIVATE);
    const session = json.session as string;
    it.app.stub.clear();
    for (const type of ['m.login.dummy', CAPTCHA, 'org.matrix.login.jwt', RECOVERY]) {
      const answer = await it.authAlone(DEACTIVATE, { type, session, token: 'x' });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
    }
    const early = await it.authAlone(DEACTIVATE, { type: TERMS, session });
    expect(challengeIn(early)).toMatchObject({
      status: 401,
      completed: [TOTP, PASSWORD],
      errcode: 'M_FORBIDDEN',
    });
    const again = await it.authAlone(DEACTIVATE, bobsPassword('another password', { session }));
    expect(challengeIn(again)).toMatchObject({
      status: 401,
      completed: [TOTP, PASSWORD],
      errcode: undefined,
    });
    expect(it.upstream()).toEqual([]);
  });

  test('the session stays bound to its token, target and body', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, TERMS]]));
    const { json } = await withCodeAndPassword(DEACTIVATE);
    const auth = { type: TERMS, session: json.session as string };
    it.app.stub.clear();
    const elsewhere = [
      await it.asBob(DEACTIVATE, auth, { token: it.app.stub.signIn('bob').token }),
      await it.asBob(DEACTIVATE, auth, { json: { erase: false, auth } }),
      await it.asBob(DELETE_DEVICES, auth),
    ];
    expect(elsewhere.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(it.upstream()).toEqual([]);
  });

  test('a code behind the password leads there as well', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, TERMS]]));
    const led = await it.asBob(DEACTIVATE, bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`));
    expect(challengeIn(led)).toMatchObject({ flows: [[TOTP, PASSWORD, TERMS]], completed: [TOTP, PASSWORD] });
    const done = await it.authAlone(DEACTIVATE, { type: TERMS, session: led.json.session as string });
    expect(done.status).toBe(200);
  });

  test('where no homeserver asks otherwise, one that does is led through as well', async () => {
    it.app.stub.override(DELETE_ADDRESS.target, wants([[PASSWORD, TERMS]]));
    const led = await withCodeAndPassword(DELETE_ADDRESS);
    expect(challengeIn(led)).toMatchObject({ flows: [[TOTP, PASSWORD, TERMS]], completed: [TOTP, PASSWORD] });
    const done = await it.authAlone(DELETE_ADDRESS, { type: TERMS, session: led.json.session as string });
    expect(done.status).toBe(200);
  });

  test.each([
    ['no session', { session: undefined }],
    ['flows that our client could not do', { flows: [{ stages: [TOTP, PASSWORD] }] }],
  ])('with %s it is not understood: 502, and the session stays', async (_, odd) => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, TERMS]], odd as JsonObject));
    expect((await withCodeAndPassword(DEACTIVATE)).status).toBe(502);
    expect((await it.asBob(DEACTIVATE)).json.completed).toEqual([TOTP]);
  });

  test('of many last stages at the same moment one reaches the homeserver', async () => {
    it.app.stub.override(ADD_ADDRESS.target, wants([[PASSWORD, TERMS]]));
    const { json } = await withCodeAndPassword(ADD_ADDRESS);
    const auth = { type: TERMS, session: json.session as string };
    const answers = await Promise.all(Array.from({ length: 20 }, () => it.authAlone(ADD_ADDRESS, auth)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(authsSent(ADD_ADDRESS)).toHaveLength(2);
  });

  test('a wrong password is wrong there, too', async () => {
    it.app.stub.override(DEACTIVATE.target, wants([[PASSWORD, TERMS]]));
    const { json } = await it.asBob(DEACTIVATE, { type: TOTP, token: it.app.code(it.bob) });
    const session = json.session as string;
    const wrong = await it.authAlone(DEACTIVATE, bobsPassword('wrong', { session }));
    expect(challengeIn(wrong)).toMatchObject({ completed: [TOTP], errcode: 'M_FORBIDDEN' });
    expect(codeFlows(wrong)).toHaveLength(2);
  });
});

describe.each(PERSONALITIES)('an account without a password before %s', (personality) => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded({
      personality,
      sso: { providers: [{ id: 'idp', name: 'Provider' }], signedInAs: 'bob' },
    });
    it.app.stub.user('bob').password = null;
  });
  afterEach(() => it.app.stop());

  /** The page of the homeserver's provider, for its own session. */
  async function passPage(): Promise<void> {
    const [session] = [...it.app.stub.state.uiaSessions.values()].slice(-1);
    const target = `${SSO_PAGE}?session=${session?.id}`;
    expect((await fetch(it.app.stub.url + target)).status).toBe(200);
  }

  test('a user who has 2FA is led to the single sign-on after their code', async () => {
    const { json } = await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.code(it.bob) });
    const session = json.session as string;
    const led = await it.authAlone(DELETE_DEVICES, bobsPassword('none', { session }));
    const { flows, completed } = challengeIn(led);
    expect([flows, completed]).toContainEqual([TOTP]);
    expect(flows).toContainEqual([TOTP, SSO]);
    expect(led.json.session).toBe(session);
    const early = await it.authAlone(DELETE_DEVICES, { session });
    expect(challengeIn(early)).toMatchObject({ completed: [TOTP] });
    // The page of that stage, asked for with our session, is the homeserver's.
    const page = await it.app.call({
      target: `${SSO_PAGE}?session=${session}`,
    });
    expect([page.status, page.text]).toEqual([200, '<p>homeserver fallback page</p>']);
    const done = await it.authAlone(DELETE_DEVICES, { type: SSO, session });
    expect(done.status).toBe(200);
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE']);
  });

  test('on our page the code leads to the page of the homeserver, and then the request of the client is done', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const session = String(json.session);
    const visitor = new Visitor(it.app.url);
    const ours = `${SSO_PAGE}?session=${encodeURIComponent(session)}`;
    await visitor.open(ours);
    const asked = await visitor.send({ code: it.app.code(it.bob) });
    expect(asked.text).toContain('Sign in with your provider once more');
    expect(asked.text).not.toContain('type="password"');
    // Looking at it brings nothing to the homeserver.
    expect(it.upstream()).toEqual([]);
    const led = await visitor.send({ step: 'provider' });
    expect([led.status, led.text]).toEqual([200, '<p>homeserver fallback page</p>']);
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
    const theirs = [...it.app.stub.state.uiaSessions.values()].slice(-1);
    expect(led.text).not.toContain(String(theirs[0]?.id));
    const done = await it.authAlone(DELETE_DEVICES, { type: SSO, session });
    expect(done.status).toBe(200);
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE']);
  });

  test('the way to that page is not gone before the code, nor for an account that has a password', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const visitor = new Visitor(it.app.url);
    const session = String(json.session);
    await visitor.open(`${SSO_PAGE}?session=${encodeURIComponent(session)}`);
    const early = await visitor.post({ ...formsOf(visitor.last?.text ?? '')[0]?.fields, step: 'provider' });
    expect(early.text).toContain('Authentication code');
    it.app.stub.user('bob').password = BOBS_PASSWORD;
    const asked = await visitor.send({ code: it.app.code(it.bob) });
    expect(asked.text).toContain('type="password"');
    await visitor.post({ ...formsOf(asked.text)[0]?.fields, step: 'provider' });
    expect((await it.authAlone(DELETE_DEVICES, { session })).json.completed).toEqual([TOTP]);
    expect(it.upstream()).toEqual([]);
  });

  test('without 2FA the single sign-on of the homeserver works as it is', async () => {
    it.app.stub.user('alice').password = null;
    const json = { devices: ['SOMEPHONE'] };
    const first = await it.app.call({ target: DELETE_DEVICES.target, token: it.alicesToken, json });
    expect(challengeIn(first)).toMatchObject({ status: 401, isOurs: false });
    expect(challengeIn(first).flows).toContainEqual([SSO]);
    await passPage();
    const auth = { type: SSO, session: first.json.session as string };
    const done = await it.app.call({
      target: DELETE_DEVICES.target,
      token: it.alicesToken,
      json: { ...json, auth },
    });
    expect(done.status).toBe(200);
  });
});

describe('where passwords are switched off', () => {
  test('the homeserver is asked what it wants instead, after the code', async () => {
    const it = await startGuarded({
      passwords: 'off',
      sso: { providers: [{ id: 'idp', name: 'Provider' }], signedInAs: 'bob' },
    });
    const { json } = await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.code(it.bob) });
    const session = json.session as string;
    expect(it.upstream()).toEqual([]);
    const led = await it.authAlone(DELETE_DEVICES, bobsPassword('none', { session }));
    expect(challengeIn(led)).toMatchObject({ status: 401, flows: [[TOTP, SSO]], completed: [TOTP] });
    await it.app.stop();
  });
});
