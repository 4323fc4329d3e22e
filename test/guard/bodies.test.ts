import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { countSessions } from '../support/rows.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  ADD_ADDRESS,
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  DEACTIVATE,
  DELETE_ADDRESS,
  DELETE_DEVICE,
  DELETE_DEVICES,
  GET_TOKEN,
  GUARDED_CALLS,
  PASSWORD,
  TOTP,
} from './guarded.ts';

const NO_DEVICES: JsonObject[] = [
  { devices: [] },
  { devices: null },
  {},
  { devices: ['OLDPHONE', 5] },
  { devices: [null] },
  { devices: 'OLDPHONE' },
  { Devices: ['OLDPHONE'] },
];
const NO_NEW_PASSWORD: JsonObject[] = [
  {},
  { new_password: null },
  { new_password: '' },
  { new_password: 5 },
  { New_Password: 'x' },
];

describeGuarded(() => {
  test.each([
    ['delete_devices', DELETE_DEVICES, NO_DEVICES],
    ['account/password', CHANGE_PASSWORD, NO_NEW_PASSWORD],
  ] as const)(
    'attack 106: %s without what it needs is a 400 for everybody, and no code is spent',
    async (_, call, bodies) => {
      const code = it.app.code(it.bob);
      for (const body of bodies) {
        for (const auth of [undefined, bobsPassword(`${BOBS_PASSWORD} ${code}`)]) {
          const json = auth === undefined ? body : { ...body, auth };
          const answer = await it.ask({ target: call.target, token: it.bobsToken, json });
          expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
        }
        const alices = { type: PASSWORD, user: 'alice', password: ALICES_PASSWORD };
        for (const auth of [undefined, alices, { ...alices, session: 'm2fa_AAAAAAAAAAAAAAAAAAAAAAAAAAA' }]) {
          const json = auth === undefined ? body : { ...body, auth };
          const answer = await it.ask({ target: call.target, token: it.alicesToken, json });
          expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
        }
      }
      expect(it.upstream()).toEqual([]);
      expect(it.app.stub.devicesOf('alice')).toHaveLength(1);
      // The code is still good.
      const done = await it.asBob(call, bobsPassword(`${BOBS_PASSWORD} ${code}`));
      expect(done.status).toBe(200);
    },
  );

  test.each([DELETE_DEVICES, CHANGE_PASSWORD, ADD_ADDRESS])(
    'attacks 106, 148: $name with an unknown session and nothing else opens no session',
    async (call) => {
      const session = 'm2fa_AAAAAAAAAAAAAAAAAAAAAAAAAAA';
      const code = it.app.code(it.bob);
      const forms: JsonObject[] = [
        { session },
        { session, type: TOTP, token: code },
        { session, type: 'm.login.sso' },
        bobsPassword(`${BOBS_PASSWORD} ${code}`, { session }),
      ];
      for (const auth of forms) {
        const answer = await it.authAlone(call, auth);
        expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
      }
      expect(await countSessions(it.app.storage)).toBe(0);
      expect(it.upstream()).toEqual([]);
    },
  );

  test.each([DELETE_DEVICE, DEACTIVATE, GET_TOKEN])(
    'attack 113: $name without a body, and with an empty one, reaches the homeserver as JSON with our auth alone',
    async (call) => {
      const { method, target } = call;
      const first = await it.ask({ method, target, token: it.bobsToken, headers: { 'content-length': '0' } });
      const session = first.json.session as string;
      expect(first.status).toBe(401);
      expect((await it.ask({ method, target, token: it.bobsToken, body: '' })).json.session).toBe(session);
      await it.authAlone(call, { type: TOTP, session, token: it.app.code(it.bob) });
      await it.authAlone(call, bobsPassword(BOBS_PASSWORD, { session }));
      const [sent] = it.app.stub.requestsBesideLookups();
      expect(sent?.json).toEqual({ auth: bobsPassword() });
      expect(sent?.headers['content-type']).toBe('application/json');
    },
  );

  test('attack 113: without 2FA a call without a body reaches the homeserver as {}', async () => {
    const { method, target } = DELETE_DEVICE;
    const answer = await it.app.call({ method, target, token: it.alicesToken });
    expect(answer.status).toBe(401);
    const [sent] = it.app.stub.requestsBesideLookups();
    expect([sent?.bytes.toString(), sent?.headers['content-type']]).toEqual(['{}', 'application/json']);
  });

  test('attack 18: a form type with a token in the body changes nothing for account/password', async () => {
    const words = `words&access_token=${it.alicesToken}&`;
    const body = JSON.stringify({ new_password: words, logout_devices: false });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    // Without a token it is the reset by e-mail, as JSON and without a token.
    await it.app.call({ target: CHANGE_PASSWORD.target, body, headers });
    // With one it is the owner's.
    const asBob = await it.asBob(CHANGE_PASSWORD, undefined, { body, headers });
    expect(challengeIn(asBob)).toMatchObject({ status: 401, isOurs: true });
    const reached = it.app.stub.requestsTo('password');
    expect(reached).toHaveLength(1);
    expect(reached[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(reached[0]?.headers.authorization).toBeUndefined();
    expect(reached[0]?.status).toBe(401);
    expect(it.app.stub.passwordOf('alice')).toBe(ALICES_PASSWORD);
  });

  test.each(GUARDED_CALLS)(
    'attack 20: an odd auth for $name is a 400, and nothing is counted',
    async (call) => {
      const odd = [
        'text',
        [],
        7,
        true,
        { type: PASSWORD, session: {} },
        { type: [PASSWORD], password: 'x' },
        { type: PASSWORD, password: ['x'] },
        { type: TOTP, session: 5 },
      ];
      for (const auth of odd) {
        const answer = await it.asBob(call, auth as JsonObject[string]);
        expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
      }
      expect(it.upstream()).toEqual([]);
      expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
    },
  );

  test('attack 14: an auth whose keys differ from the known ones by case does not slip past the check of its name', async () => {
    const victims = { type: 'm.id.user', user: '@bob:localhost' };
    const disguises: JsonObject[] = [
      { Type: PASSWORD, Identifier: victims, Password: BOBS_PASSWORD },
      { type: PASSWORD, Identifier: victims, password: BOBS_PASSWORD },
      { type: PASSWORD, uſer: '@bob:localhost', password: BOBS_PASSWORD },
      { type: PASSWORD, identifier: { type: 'm.id.user', User: '@bob:localhost' }, password: BOBS_PASSWORD },
    ];
    for (const auth of disguises) {
      for (const json of [
        { ...DEACTIVATE.body, auth },
        { ...DEACTIVATE.body, Auth: auth },
      ]) {
        await it.app.call({ target: DEACTIVATE.target, token: it.alicesToken, json });
      }
    }
    expect(it.app.stub.isDeactivated('bob')).toBe(false);
    for (const { bytes } of it.app.stub.requestsTo('deactivate')) {
      expect(bytes.toString()).not.toMatch(/"(Auth|Type|Identifier|Password|User|uſer)"/);
    }
  });

  test('an address without the key it needs is a 400 before anything is asked', async () => {
    const { target } = DELETE_ADDRESS;
    const answer = await it.ask({ target, token: it.bobsToken, json: { medium: 'email' } });
    expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    expect(it.upstream()).toEqual([]);
  });
});
