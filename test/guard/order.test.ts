import { expect, test } from '@jest/globals';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  BOTH_FLOWS,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  codeFlows,
  DELETE_DEVICES,
  GUARDED_CALLS,
  PASSWORD,
  RECOVERY,
  TOTP,
} from './guarded.ts';

describeGuarded(() => {
  test.each(GUARDED_CALLS)(
    'attack 41: $name with the right password and no code, in every form of auth, stays here',
    async (call) => {
      const first = await it.asBob(call);
      expect(challengeIn(first)).toMatchObject({
        status: 401,
        isOurs: true,
        completed: [],
        errcode: undefined,
      });
      expect(codeFlows(first)).toEqual(BOTH_FLOWS);
      const session = first.json.session as string;
      const forms = [
        bobsPassword(),
        bobsPassword(BOBS_PASSWORD, { session }),
        bobsPassword(BOBS_PASSWORD, { session: null }),
        {},
        null,
        { session },
        { session, type: PASSWORD, user: '@bob:localhost', password: BOBS_PASSWORD },
      ];
      for (const auth of forms) {
        const answer = await it.asBob(call, auth);
        expect(challengeIn(answer)).toMatchObject({ status: 401, isOurs: true, completed: [] });
        expect(codeFlows(answer)).toEqual(BOTH_FLOWS);
      }
      expect(it.upstream()).toEqual([]);
      expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
    },
  );

  test.each(GUARDED_CALLS)('R6: $name goes to the homeserver once, after code and password', async (call) => {
    const { json } = await it.asBob(call);
    const session = json.session as string;
    const half = await it.authAlone(call, { type: TOTP, session, token: it.app.code(it.bob) });
    expect(challengeIn(half)).toMatchObject({ status: 401, completed: [TOTP], errcode: undefined });
    expect(half.json.session).toBe(session);
    expect(it.upstream()).toEqual([]);

    await it.authAlone(call, bobsPassword(BOBS_PASSWORD, { session }));
    expect(it.upstream()).toEqual([`${call.method} ${call.target}`]);
    const [sent] = it.app.stub.requestsBesideLookups();
    const auth = call.probed ? {} : { auth: bobsPassword() };
    expect(sent?.json).toEqual({ ...call.body, ...auth });
  });

  test('attack 43: the password before the code is a 401 that says so, and is not judged', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const session = json.session as string;
    for (const password of [BOBS_PASSWORD, 'wrong']) {
      const answer = await it.authAlone(DELETE_DEVICES, bobsPassword(password, { session }));
      expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
      expect(answer.json.session).toBe(session);
    }
    expect(it.upstream()).toEqual([]);
  });

  test('R7: a stage that is done is not judged again, and {session} alone tells where one stands', async () => {
    const { json } = await it.asBob(CHANGE_PASSWORD);
    const session = json.session as string;
    const token = it.app.code(it.bob);
    const done = await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token });
    const states = [
      await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token }),
      await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token: it.app.wrongCode(it.bob) }),
      await it.authAlone(CHANGE_PASSWORD, { session }),
      await it.authAlone(CHANGE_PASSWORD, { session }),
    ];
    for (const state of states) expect(state.json).toEqual(done.json);
    // The other flow's stage is out of order now; its code is not spent.
    const [recoveryCode] = it.bob.recoveryCodes;
    const other = await it.authAlone(CHANGE_PASSWORD, {
      type: RECOVERY,
      session,
      token: recoveryCode as string,
    });
    expect(challengeIn(other)).toMatchObject({ status: 401, completed: [TOTP], errcode: 'M_FORBIDDEN' });
    expect(
      (await it.app.storage.factors.recoverySet(it.bob.userId))?.codes.every((code) => !code.usedAt),
    ).toBe(true);
    expect(it.upstream()).toEqual([]);
  });

  test('a recovery code and the password do it as well', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const session = json.session as string;
    const [token] = it.bob.recoveryCodes;
    const half = await it.authAlone(DELETE_DEVICES, { type: RECOVERY, session, token: token as string });
    expect(challengeIn(half)).toMatchObject({ status: 401, completed: [RECOVERY] });
    const done = await it.authAlone(DELETE_DEVICES, bobsPassword(BOBS_PASSWORD, { session }));
    expect(done.status).toBe(200);
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE']);
  });

  test('attack 42: a homeserver that asks for nothing changes nothing', async () => {
    it.app.stub.switches.uiaSessionTimeout = 600_000;
    for (const auth of [undefined, {}, bobsPassword()]) {
      expect((await it.asBob(DELETE_DEVICES, auth)).status).toBe(401);
    }
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
    expect(it.upstream()).toEqual([]);
  });

  test('attack 49: stages that no one offered are refused and go nowhere', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const session = json.session as string;
    const stages = [
      { type: 'org.matrix.login.jwt', token: 'x' },
      { type: 'm.login.dummy' },
      { type: 'm.login.token', token: 'x' },
      { type: 'm.oauth' },
      { type: 'm.login.terms' },
      {
        type: 'M.LOGIN.PASSWORD',
        identifier: { type: 'm.id.user', user: '@bob:localhost' },
        password: BOBS_PASSWORD,
      },
    ];
    for (const stage of stages) {
      for (const auth of [stage, { ...stage, session }]) {
        const answer = await it.asBob(DELETE_DEVICES, auth);
        expect(answer.status).toBe(400);
        expect(answer.json.errcode).toBe('M_INVALID_PARAM');
      }
    }
    expect(it.upstream()).toEqual([]);
  });

  test('attack 51: neither the code nor our session id ever reaches the homeserver', async () => {
    const { json } = await it.asBob(CHANGE_PASSWORD);
    const session = json.session as string;
    const token = it.app.code(it.bob);
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token });
    const done = await it.asBob(
      CHANGE_PASSWORD,
      bobsPassword(BOBS_PASSWORD, { session, token, code: token }),
    );
    expect(done.status).toBe(200);
    expect(it.app.stub.passwordOf('bob')).toBe('entirely different words');
    for (const { target, bytes, rawHeaders } of it.app.stub.requests) {
      const everything = [target, bytes.toString(), ...rawHeaders].join('\n');
      expect(everything).not.toContain(session);
      expect(everything).not.toContain(token);
    }
  });
});
