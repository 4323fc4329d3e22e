import { beforeEach, expect, test } from '@jest/globals';
import { MINUTE } from '../../src/system/clock.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeAt } from '../support/enrolment.ts';
import {
  begin,
  begun,
  CAROL,
  collect,
  confirm,
  ENROL,
  isEnrolled,
  OWING,
  owedSignIn,
  wrongFor,
} from './owing.ts';
import { loginsOf, PASSWORD, post, RECOVERY, STEP, signIn, submit, TOTP } from './support.ts';

const SETUP_URL = 'https://matrix.example.org/_2fa/account';
const ALREADY = { status: 403, body: { errcode: 'M_FORBIDDEN' } };
const UNKNOWN = { status: 404, body: { errcode: 'M_NOT_FOUND' } };

describeOnBothDatabases('a set-up during a sign-in', (start) => {
  let app: TestApp;

  beforeEach(async () => {
    app = await start(OWING);
  });

  test('a login is held until its set-up is confirmed, and then handed out', async () => {
    const challenge = await signIn(app, 'carol', PASSWORD, { device_id: 'PHONE' });
    expect(challenge.status).toBe(401);
    const owed = { setup_url: SETUP_URL, deadline_ts: expect.any(Number) };
    expect(challenge.body).toEqual({
      session: expect.stringMatching(/^m2fa_/),
      flows: [{ stages: ['m.login.password', ENROL] }],
      completed: ['m.login.password'],
      params: { [ENROL]: { factors: ['totp', 'webauthn'], ...owed } },
      errcode: 'M_FORBIDDEN',
      error: `This server requires two-factor authentication. Set it up at ${SETUP_URL}, then sign in again.`,
      'org.matrix.2fa.owes_enrolment': owed,
    });
    const session = String(challenge.body.session);
    const setUp = await begun(app, session);
    expect(await isEnrolled(app)).toBe(false);
    expect((await collect(app, session)).body.params).toEqual(challenge.body.params);

    const confirmed = await confirm(app, session, setUp);
    expect(confirmed).toMatchObject({ status: 200, body: { recovery_codes: { length: 10 } } });
    expect(await isEnrolled(app)).toBe(true);
    const answer = await collect(app, session);
    expect(answer).toMatchObject({ status: 200, body: { user_id: CAROL, device_id: 'PHONE' } });
    expect(app.stub.liveTokens('carol')).toContain(answer.body.access_token);
    expect(
      await app.storage.audit.list({ userId: CAROL }).then((lines) => lines.map(({ event }) => event)),
    ).toEqual(expect.arrayContaining(['totp.enabled', 'login.enrolled', 'login.completed']));

    const next = await signIn(app, 'carol');
    expect(next.body.flows).toEqual(
      [TOTP, RECOVERY].map((stage) => ({ stages: ['m.login.password', stage] })),
    );
    expect(await submit(app, next, codeAt(setUp.seed, app.clock.now()))).toMatchObject({ status: 401 });
    app.clock.advance(STEP);
    expect(await submit(app, next, codeAt(setUp.seed, app.clock.now()))).toMatchObject({ status: 200 });
  });

  test('a begun set-up has ten minutes more, once; a login without one has not', async () => {
    const session = await owedSignIn(app);
    app.clock.advance(4 * MINUTE);
    const setUp = await begun(app, session);
    app.clock.advance(9 * MINUTE);
    expect(await confirm(app, session, setUp, wrongFor(setUp, app))).toMatchObject({ status: 403 });
    expect(await begin(app, session)).toMatchObject({ status: 200 });
    app.clock.advance(3 * MINUTE);
    expect(await begin(app, session)).toMatchObject(UNKNOWN);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('carol')).toEqual([]);

    const unused = await owedSignIn(app);
    app.clock.advance(6 * MINUTE);
    expect(await begin(app, unused)).toMatchObject(UNKNOWN);

    const last = await owedSignIn(app);
    app.clock.advance(4 * MINUTE);
    const late = await begun(app, last);
    app.clock.advance(9 * MINUTE);
    expect(await confirm(app, last, late)).toMatchObject({ status: 200 });
    expect(await collect(app, last)).toMatchObject({ status: 200 });
  });

  test('an equal sign-in joins the held login; nothing is asked of others', async () => {
    await owedSignIn(app);
    await owedSignIn(app, { device_id: 'PHONE' });
    expect(loginsOf(app)).toHaveLength(1);
    expect(await signIn(app, 'alice')).toMatchObject({ status: 200 });
  });

  test('the stage itself cannot be sent, and a second set-up replaces the first', async () => {
    const session = await owedSignIn(app);
    expect(await post(app, LOGIN, { auth: { type: ENROL, session } })).toMatchObject({ status: 401 });
    expect(await post(app, LOGIN, { auth: { type: TOTP, session, token: '123456' } })).toMatchObject({
      status: 401,
      body: { completed: ['m.login.password'] },
    });
    const first = await begun(app, session);
    const second = await begun(app, session);
    expect(await confirm(app, session, first)).toMatchObject(UNKNOWN);
    expect(await confirm(app, session, second)).toMatchObject({ status: 200 });
  });

  test('five wrong codes end a set-up, and nothing has changed; another one can be begun', async () => {
    const session = await owedSignIn(app);
    const setUp = await begun(app, session);
    for (let turn = 0; turn < 5; turn++) {
      expect(await confirm(app, session, setUp, wrongFor(setUp, app))).toMatchObject(ALREADY);
    }
    expect(await confirm(app, session, setUp)).toMatchObject(UNKNOWN);
    expect(await isEnrolled(app)).toBe(false);
    expect(await confirm(app, session, await begun(app, session))).toMatchObject({ status: 200 });
  });

  test('bad calls are refused, each with its status, and change nothing', async () => {
    const session = await owedSignIn(app);
    const setUp = await begun(app, session);
    expect(await begin(app, session, { factor: 'recovery' })).toMatchObject({ status: 400 });
    expect(await begin(app, session, { factor: 'sms' })).toMatchObject({ status: 400 });
    expect(await begin(app, 'm2fa_unknown')).toMatchObject(UNKNOWN);
    expect(await begin(app, session, { name: 'a\nb' })).toMatchObject({ status: 400 });
    expect(await confirm(app, session, { ...setUp, setupId: 'unknown' })).toMatchObject(UNKNOWN);
    expect(await confirm(app, session, setUp, { token: ' ' })).toMatchObject({
      status: 400,
      body: { errcode: 'M_MISSING_PARAM' },
    });
    expect(await confirm(app, session, setUp, { token: 123_456 })).toMatchObject({ status: 400 });
    expect(await confirm(app, session, setUp, { recovery_codes: 'new' })).toMatchObject({ status: 400 });
    expect(await isEnrolled(app)).toBe(false);
    expect(await confirm(app, session, setUp, { recovery_codes: false })).toMatchObject({
      status: 200,
      body: { recovery_codes: [] },
    });
    expect(await confirm(app, session, setUp)).toMatchObject(ALREADY);
    expect(await begin(app, session)).toMatchObject(ALREADY);
    expect(await app.storage.factors.recoverySet(CAROL)).toBeUndefined();
  });

  test('attack 209: the set-up of one session releases no other held login, and ends what waits on its own', async () => {
    const owner = await owedSignIn(app);
    const joined = await owedSignIn(app);
    const apart = await owedSignIn(app, { refresh_token: true });
    expect(loginsOf(app)).toHaveLength(2);
    const setUp = await begun(app, owner);
    expect(await confirm(app, joined, setUp)).toMatchObject(UNKNOWN);
    expect(await confirm(app, owner, setUp)).toMatchObject({ status: 200 });
    for (const session of [joined, apart]) {
      expect(await begin(app, session)).toMatchObject(UNKNOWN);
      const answer = await collect(app, session);
      expect([answer.status, answer.body.access_token]).toEqual([401, undefined]);
    }
    expect(await collect(app, owner)).toMatchObject({ status: 200 });
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('carol')).toHaveLength(1);
  });

  test('attack 210: of many confirmations at once, over two processes and two sessions, one enrols', async () => {
    const other = await app.startAnother();
    const sessions = [await owedSignIn(app), await owedSignIn(other, { refresh_token: true })];
    const [one = '', two = ''] = sessions;
    const first = await begun(app, one);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, turn) => confirm(turn % 2 === 0 ? app : other, one, first)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await app.storage.factors.authenticators(CAROL)).toHaveLength(1);
    expect(await begin(other, two)).toMatchObject(UNKNOWN);
    const logins = await Promise.all([collect(app, one), collect(other, one), collect(app, two)]);
    expect(logins.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('attack 211: sessions that owe no set-up, and codes in those that do, enrol no one', async () => {
    await app.enrol('dave');
    const code = await signIn(app, 'dave');
    expect(await begin(app, String(code.body.session))).toMatchObject(ALREADY);
    const { token } = app.stub.signIn('dave', 'LAPTOP');
    const guarded = await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'] }, token);
    expect(await begin(app, String(guarded.json.session))).toMatchObject(ALREADY);

    const session = await owedSignIn(app);
    const setUp = await begun(app, session);
    expect(await confirm(app, String(code.body.session), setUp)).toMatchObject(ALREADY);
    expect(await confirm(app, String(guarded.json.session), setUp)).toMatchObject(ALREADY);
    // The set-up of a session is not one of an access token, nor the reverse.
    const carols = app.stub.signIn('carol', 'LAPTOP').token;
    const byToken = { setup_id: setUp.setupId, token: codeAt(setUp.seed, app.clock.now()) };
    const api = '/_matrix/client/v3/account/two-factor/totp';
    expect(await app.post(`${api}/confirm`, byToken, carols)).toMatchObject({ status: 404 });
    expect(await isEnrolled(app)).toBe(false);
  });

  test('attack 201: whoever owes a set-up gets no token by any way in', async () => {
    const bodies = ['r0', 'v1', 'v3', 'unstable', 'api/v1'].map(
      (prefix) => `/_matrix/client/${prefix}/login`,
    );
    const answers = await Promise.all([
      ...bodies.map((path) => post(app, path, passwordLogin('carol', PASSWORD))),
      signIn(app, CAROL),
      signIn(app, 'Carol'),
      signIn(app, 'carol', PASSWORD, { device_id: 'A' }),
      signIn(app, 'carol', PASSWORD, { refresh_token: true }),
      signIn(app, 'carol', `${PASSWORD} 123456`),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toEqual([]);
    expect(answers.filter(({ body }) => body.access_token !== undefined)).toEqual([]);
  });

  test('a set-up ends with its sign-in', async () => {
    const session = await owedSignIn(app);
    const setUp = await begun(app, session);
    app.clock.advance(15 * MINUTE);
    expect(await confirm(app, session, setUp)).toMatchObject(UNKNOWN);
    expect(await isEnrolled(app)).toBe(false);
  });
});
