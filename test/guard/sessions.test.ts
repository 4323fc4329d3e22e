import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  codeFlows,
  DEACTIVATE,
  DELETE_DEVICE,
  DELETE_DEVICES,
  type GuardedApp,
  type GuardedCall,
  PASSWORD,
  startGuarded,
  TOTP,
} from './guarded.ts';

const V3 = '/_matrix/client/v3';

describeGuarded(() => {
  /** A session of bob's in which the code is done and the password is next. */
  async function halfDone(call: GuardedCall): Promise<string> {
    const { json } = await it.asBob(call);
    const session = json.session as string;
    await it.authAlone(call, { type: TOTP, session, token: it.app.code(it.bob) });
    it.app.clock.advance(30_000);
    return session;
  }

  test('attack 44: a session of one device does not work on another, nor elsewhere, nor with another query', async () => {
    const session = await halfDone(DELETE_DEVICE);
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    const elsewhere = [
      { method: 'DELETE', target: `${V3}/devices/BOBSPHONE`, json: { auth } },
      { method: 'DELETE', target: `${V3}/devices/OLDPHONE?really=yes`, json: { auth } },
      { method: 'DELETE', target: '/_matrix/client/r0/devices/OLDPHONE', json: { auth } },
      { method: 'POST', target: CHANGE_PASSWORD.target, json: { ...CHANGE_PASSWORD.body, auth } },
      { method: 'POST', target: DELETE_DEVICES.target, json: { ...DELETE_DEVICES.body, auth } },
    ];
    for (const what of elsewhere) {
      const answer = await it.ask({ ...what, token: it.bobsToken });
      expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    }
    expect(it.upstream()).toEqual([]);
    expect((await it.asBob(DELETE_DEVICE, auth)).status).toBe(200);
  });

  test('attack 45: a session does not work under a token of another user, nor under another one of the same user', async () => {
    const session = await halfDone(DELETE_DEVICES);
    const carol = it.app.stub.addUser({ name: 'carol', password: 'carols password' });
    await it.app.enrol('carol');
    const tokens = [it.app.stub.signIn('bob').token, it.app.stub.signIn('carol').token];
    expect(carol.userId).toBe('@carol:localhost');
    for (const token of tokens) {
      for (const auth of [{ session }, { type: PASSWORD, session, password: BOBS_PASSWORD }]) {
        const answer = await it.asBob(DELETE_DEVICES, auth, { token });
        expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
      }
    }
    expect(it.upstream()).toEqual([]);
  });

  test.each([
    [DELETE_DEVICES, { devices: ['BOBSPHONE'] }],
    [DELETE_DEVICES, { devices: ['OLDPHONE', 'BOBSPHONE'] }],
    [DELETE_DEVICES, { ...DELETE_DEVICES.body, more: true }],
    [CHANGE_PASSWORD, { new_password: 'the words of an attacker' }],
    [CHANGE_PASSWORD, { logout_devices: true }],
    [DEACTIVATE, { erase: false }],
  ])('attack 46: another body in the last request of $name is refused: %j', async (call, body) => {
    const session = await halfDone(call);
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    const answer = await it.asBob(call, auth, { json: { ...body, auth } });
    expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect(it.upstream()).toEqual([]);
  });

  test('attack 46: a last request of auth alone does what the session was opened for', async () => {
    const session = await halfDone(CHANGE_PASSWORD);
    const done = await it.authAlone(CHANGE_PASSWORD, bobsPassword(BOBS_PASSWORD, { session }));
    expect(done.status).toBe(200);
    expect(it.app.stub.passwordOf('bob')).toBe('entirely different words');
  });

  test('attack 148: what is approved with an empty body is not done with another one', async () => {
    const { json } = await it.ask({
      method: 'POST',
      target: DEACTIVATE.target,
      token: it.bobsToken,
      json: {},
    });
    const session = json.session as string;
    await it.authAlone(DEACTIVATE, { type: TOTP, session, token: it.app.code(it.bob) });
    const more = await it.asBob(DEACTIVATE, bobsPassword(BOBS_PASSWORD, { session }));
    expect([more.status, more.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    const anew = await it.ask({
      method: 'POST',
      target: DEACTIVATE.target,
      token: it.bobsToken,
      json: DEACTIVATE.body,
    });
    expect(anew.json).toMatchObject({ completed: [] });
    expect(anew.json.session).not.toBe(session);
    expect(it.upstream()).toEqual([]);
    // Dendrite's answer lacks what the specification has there, so that it is not judged.
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    const done = await it.app.post(DEACTIVATE.target, { auth }, it.bobsToken);
    expect(done.status).toBe(200);
    expect(it.app.stub.requestsBesideLookups()[0]?.json).toEqual({ auth: bobsPassword() });
  });

  test('attack 47: a finished session is refused, with the password, with a code, and alone', async () => {
    const session = await halfDone(DELETE_DEVICES);
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    expect((await it.authAlone(DELETE_DEVICES, auth)).status).toBe(200);
    it.app.stub.clear();
    const forms = [auth, { session }, { type: TOTP, session, token: it.app.code(it.bob) }];
    for (const again of forms) {
      const answer = await it.asBob(DELETE_DEVICES, again);
      expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [] });
      expect(answer.json.session).not.toBe(session);
    }
    expect(it.upstream()).toEqual([]);
  });

  test('of many last requests of one session at the same moment one is carried out', async () => {
    const session = await halfDone(CHANGE_PASSWORD);
    const auth = bobsPassword(BOBS_PASSWORD, { session });
    const answers = await Promise.all(Array.from({ length: 20 }, () => it.authAlone(CHANGE_PASSWORD, auth)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    // Those after it find no session, and what they send has no password to change to.
    expect(statuses.every((status) => [200, 400, 401].includes(status))).toBe(true);
    expect(it.upstream()).toEqual([`POST ${CHANGE_PASSWORD.target}`]);
  });

  test('the same request again, and one without a body, has the same session; another body has another', async () => {
    const first = await it.asBob(DELETE_DEVICES);
    const { session } = first.json;
    expect((await it.asBob(DELETE_DEVICES)).json.session).toBe(session);
    expect((await it.asBob(DELETE_DEVICES, null)).json.session).toBe(session);
    const other = await it.asBob(DELETE_DEVICES, undefined, { json: { devices: ['ELSE'] } });
    expect(other.json.session).not.toBe(session);
    // Another user's request never shares it.
    const another = await it.asBob(DELETE_DEVICES, undefined, { token: it.app.stub.signIn('bob').token });
    expect(another.json.session).not.toBe(session);
  });

  test('an unknown or expired session gets a fresh challenge, and its password is not judged', async () => {
    const session = await halfDone(DELETE_DEVICES);
    it.app.clock.advance(10 * 60_000);
    for (const named of [session, 'm2fa_AAAAAAAAAAAAAAAAAAAAAAAAAAA', 'of the homeserver']) {
      const answer = await it.asBob(DELETE_DEVICES, bobsPassword(BOBS_PASSWORD, { session: named }));
      expect(challengeIn(answer)).toMatchObject({ status: 401, isOurs: true, completed: [] });
      expect(answer.json.session).not.toBe(named);
    }
    expect(it.upstream()).toEqual([]);
  });

  test('a session of the homeserver from before 2FA was switched on is worth nothing', async () => {
    it.app.stub.addUser({ name: 'dora', password: 'doras password' });
    const { token } = it.app.stub.signIn('dora', 'DORASPHONE');
    it.app.stub.signIn('dora', 'OLDPHONE');
    const before = await it.app.call({ target: DELETE_DEVICES.target, token, json: DELETE_DEVICES.body });
    expect(before.status).toBe(401);
    const { session } = before.json;
    expect(session).not.toMatch(/^m2fa_/);
    await it.app.enrol('dora');
    it.app.stub.clear();
    const auth = { type: PASSWORD, user: 'dora', password: 'doras password', session: session as string };
    const answer = await it.ask({
      target: DELETE_DEVICES.target,
      token,
      json: { ...DELETE_DEVICES.body, auth },
    });
    expect(challengeIn(answer)).toMatchObject({ status: 401, isOurs: true, completed: [] });
    expect(it.upstream()).toEqual([]);
  });

  test('attack 5: a device id written otherwise is the same target, and reaches the homeserver in one form', async () => {
    const { json } = await it.ask({
      method: 'DELETE',
      target: `${V3}/devices/%4fLDPHONE`,
      token: it.bobsToken,
      json: {},
    });
    const session = json.session as string;
    const token = it.app.code(it.bob);
    await it.authAlone(DELETE_DEVICE, { type: TOTP, session, token });
    const done = await it.authAlone(DELETE_DEVICE, bobsPassword(BOBS_PASSWORD, { session }));
    expect(done.status).toBe(200);
    expect(it.upstream()).toEqual([`DELETE ${V3}/devices/OLDPHONE`]);
  });

  test('codes of a live session ask the homeserver nothing; the audit knows the device all the same', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    it.app.stub.clear();
    await it.authAlone(DELETE_DEVICES, {
      type: TOTP,
      session: json.session as string,
      token: it.app.code(it.bob),
    });
    expect(it.app.stub.requests).toEqual([]);
    const [line] = await it.app.storage.audit.list({ userId: it.bob.userId, limit: 1 });
    expect(line).toMatchObject({ event: 'totp.used', deviceId: 'BOBSPHONE', address: '127.0.0.1' });
    // A session says nothing about any other token.
    const stranger = await it.authAlone(DELETE_DEVICES, {
      type: TOTP,
      session: json.session as string,
      token: it.app.code(it.bob, 1),
    });
    expect(stranger.status).toBe(401);
    const dead = await it.asBob(
      DELETE_DEVICES,
      { type: TOTP, session: json.session as string, token: it.app.code(it.bob, 1) },
      { token: 'no_token_at_all' },
    );
    expect([dead.status, dead.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });
});

describe('rows of the database', () => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded();
  });
  afterEach(() => it.app.stop());

  test('attack 83: a seed copied into the row of another user lets no one in', async () => {
    const { app, bob } = it;
    app.stub.addUser({ name: 'mallory', password: 'mallorys password' });
    const mallory = await app.enrol('mallory');
    await app.shutDown();
    const database = openDatabase(`${app.directory}/2fa.db`);
    database
      .prepare(
        `UPDATE authenticators SET sealed_seed =
           (SELECT sealed_seed FROM authenticators WHERE user_id = :from) WHERE user_id = :to`,
      )
      .run({ from: mallory.userId, to: bob.userId });
    database.close();
    await app.start();
    const { json } = await it.asBob(DELETE_DEVICES);
    for (const enrolled of [mallory, bob]) {
      const answer = await app.call({
        target: DELETE_DEVICES.target,
        token: it.bobsToken,
        json: { auth: { type: TOTP, session: json.session as string, token: app.code(enrolled) } },
      });
      expect(answer.status).toBeGreaterThanOrEqual(401);
      expect(answer.json.completed ?? []).toEqual([]);
    }
    expect(it.upstream()).toEqual([]);
  });

  test('attack 83: the proven half of one session copied into another does not open it', async () => {
    const { app, bob } = it;
    const { json } = await it.asBob(CHANGE_PASSWORD);
    const mine = json.session as string;
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session: mine, token: app.code(bob) });
    const other = (await it.asBob(DEACTIVATE)).json.session as string;
    const database = openDatabase(`${app.directory}/2fa.db`);
    database
      .prepare(
        `UPDATE sessions SET sealed_body = (SELECT sealed_body FROM sessions WHERE target LIKE '%password')
         WHERE target LIKE '%deactivate'`,
      )
      .run();
    database.close();
    const answer = await app.call({
      target: DEACTIVATE.target,
      token: it.bobsToken,
      json: { auth: bobsPassword(BOBS_PASSWORD, { session: other }) },
    });
    expect(answer.status).toBe(500);
    expect(it.upstream()).toEqual([]);
  });

  test('a session under way survives a restart', async () => {
    const { app, bob } = it;
    const { json } = await it.asBob(DELETE_DEVICES);
    const session = json.session as string;
    await it.authAlone(DELETE_DEVICES, { type: TOTP, session, token: app.code(bob) });
    await app.shutDown();
    await app.start();
    expect(codeFlows(await it.authAlone(DELETE_DEVICES, { session }))).toHaveLength(2);
    expect((await it.authAlone(DELETE_DEVICES, bobsPassword(BOBS_PASSWORD, { session }))).status).toBe(200);
  });
});
