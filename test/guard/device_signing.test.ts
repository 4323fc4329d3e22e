import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  BOTH_FLOWS,
  bobsPassword,
  challengeIn,
  codeFlows,
  DELETE_DEVICES,
  PASSWORD,
  TOTP,
  UPLOAD_KEYS,
} from './guarded.ts';

const MINUTE = 60_000;

describeGuarded((personality) => {
  const forgetKeys = () =>
    Object.assign(it.app.stub.keysOf('bob'), {
      master: undefined,
      selfSigning: undefined,
      userSigning: undefined,
    });

  const liveKeys = (): JsonObject => {
    const { master, selfSigning, userSigning } = it.app.stub.keysOf('bob');
    return { master_key: master, self_signing_key: selfSigning, user_signing_key: userSigning };
  };

  const upload = (json: JsonObject, token = it.bobsToken) =>
    it.ask({ target: UPLOAD_KEYS.target, token, json });

  /** A token that signed in with password and code a moment ago, and what was typed. */
  async function signedIn(): Promise<{ token: string; typed: string }> {
    const typed = `${BOBS_PASSWORD} ${it.app.code(it.bob)}`;
    const { json } = await it.app.post(LOGIN, passwordLogin('bob', typed));
    it.app.clock.advance(30_000);
    return { token: json.access_token as string, typed };
  }

  test('the first upload needs nothing, whatever its auth says', async () => {
    forgetKeys();
    const { token, typed } = await signedIn();
    const done = await upload({ ...UPLOAD_KEYS.body, auth: bobsPassword(typed) }, token);
    expect(done.status).toBe(200);
    expect(it.app.stub.keysOf('bob').master).toEqual(UPLOAD_KEYS.body.master_key);
    const [sent] = it.app.stub.requestsTo('device_signing');
    expect(sent?.json?.auth).toBeUndefined();
    expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
  });

  test('the live keys once more change nothing, and no challenge of the homeserver is shown', async () => {
    const same = await upload(liveKeys());
    const asked = personality === 'conduit';
    expect(same.status).toBe(asked ? 401 : 200);
    if (asked) expect(challengeIn(same)).toMatchObject({ isOurs: true, completed: [] });
    const { master_key: _, ...part } = liveKeys();
    const some = await upload(part);
    const someAsked = ['dendrite', 'continuwuity'].includes(personality);
    expect(some.status).toBe(someAsked ? 401 : 200);
    if (someAsked) expect(challengeIn(some)).toMatchObject({ isOurs: true, completed: [] });
  });

  test('keys that differ in anything need code and password', async () => {
    const live = liveKeys();
    const changed: JsonObject[] = [
      { ...UPLOAD_KEYS.body },
      { master_key: UPLOAD_KEYS.body.master_key },
      { ...live, self_signing_key: UPLOAD_KEYS.body.self_signing_key },
      { user_signing_key: UPLOAD_KEYS.body.user_signing_key },
      { master_key: { ...(live.master_key as JsonObject), usage: ['master', 'more'] } },
    ];
    for (const keys of changed) {
      for (const auth of [undefined, bobsPassword(), null]) {
        const answer = await upload(auth === undefined ? keys : { ...keys, auth });
        expect(challengeIn(answer)).toMatchObject({ status: 401, isOurs: true, completed: [] });
        expect(codeFlows(answer)).toEqual(BOTH_FLOWS);
      }
    }
    expect(it.upstream()).toEqual([]);
    expect(liveKeys()).toEqual(live);
  });

  test('after a sign-in with a code the password alone does it, for ten minutes and for that token', async () => {
    const { token } = await signedIn();
    const first = await upload(UPLOAD_KEYS.body, token);
    expect(codeFlows(first)).toEqual([[PASSWORD]]);
    // Only here, and only for that token.
    expect(codeFlows(await it.asBob(DELETE_DEVICES, undefined, { token }))).toEqual(BOTH_FLOWS);
    expect(codeFlows(await upload(UPLOAD_KEYS.body))).toEqual(BOTH_FLOWS);

    const session = first.json.session as string;
    const wrong = await upload({ auth: bobsPassword('wrong', { session }) }, token);
    expect(challengeIn(wrong)).toMatchObject({ status: 401, errcode: 'M_FORBIDDEN' });
    const done = await upload({ auth: bobsPassword(BOBS_PASSWORD, { session }) }, token);
    expect(done.status).toBe(200);
    expect(it.app.stub.keysOf('bob').master).toEqual(UPLOAD_KEYS.body.master_key);
  });

  test('the password with its spent code is taken as it was sent at sign-in', async () => {
    const { token, typed } = await signedIn();
    const done = await upload({ ...UPLOAD_KEYS.body, auth: bobsPassword(typed) }, token);
    expect(done.status).toBe(200);
    expect(it.app.stub.requestsTo('device_signing').at(-1)?.json?.auth).toEqual(bobsPassword());
  });

  describe('attack 176: other keys within ten minutes of a sign-in with a code', () => {
    type Field = (typed: string) => string;
    const FIELDS: [string, Field][] = [
      ['the bare password', () => BOBS_PASSWORD],
      ['the password and the spent code', (typed) => typed],
      ['the password and a fresh code', () => `${BOBS_PASSWORD} ${it.app.code(it.bob)}`],
      [
        'the password and a fresh code in two groups',
        () => `${BOBS_PASSWORD}${inGroups(it.app.code(it.bob))}`,
      ],
      ['the password and a recovery code', () => `${BOBS_PASSWORD} ${it.bob.recoveryCodes[0]}`],
    ];
    const inGroups = (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`;

    test.each(FIELDS)('%s, one-shot and with a session', async (_, field) => {
      for (const withSession of [false, true]) {
        const { token, typed } = await signedIn();
        const keys = { ...makeCrossSigningKeys('@bob:localhost') };
        const session = withSession ? String((await upload(keys, token)).json.session) : undefined;
        const auth = bobsPassword(field(typed), session === undefined ? {} : { session });
        const done = await upload({ ...keys, auth }, token);
        expect(done.status).toBe(200);
        expect(it.app.stub.keysOf('bob').master).toEqual(keys.master_key);
        it.app.clock.advance(30_000);
      }
      expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
    });

    test('the fresh code is not spent', async () => {
      const { token } = await signedIn();
      const code = it.app.code(it.bob);
      const auth = bobsPassword(`${BOBS_PASSWORD} ${code}`);
      expect((await upload({ ...UPLOAD_KEYS.body, auth }, token)).status).toBe(200);
      expect((await it.app.post(LOGIN, passwordLogin('bob', `${BOBS_PASSWORD} ${code}`))).status).toBe(200);
    });

    test.each(['wrong', 'wrong 123456', 'wrong123 456'])('"%s" is 401, and one failure', async (password) => {
      const { token } = await signedIn();
      const session = String((await upload(UPLOAD_KEYS.body, token)).json.session);
      const auth = bobsPassword(password, { session });
      // limits.session_failures is 5: the fifth ends the session.
      for (let attempt = 1; attempt <= 5; attempt++) {
        const refused = await upload({ ...UPLOAD_KEYS.body, auth }, token);
        expect(challengeIn(refused)).toMatchObject({ status: 401, errcode: 'M_FORBIDDEN' });
        expect(refused.json.session).toBe(session);
      }
      const ended = await upload({ ...UPLOAD_KEYS.body, auth }, token);
      expect([ended.status, ended.json.session === session]).toEqual([401, false]);
      expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
    });

    test('a password that itself ends in digits, alone and with a code behind it', async () => {
      it.app.stub.addUser({ name: 'erin', password: 'horse 654321' });
      const erin = await it.app.enrol('erin');
      for (const tail of [() => '', () => ` ${it.app.code(erin)}`]) {
        const field = `horse 654321 ${it.app.code(erin)}`;
        const { json } = await it.app.post(LOGIN, passwordLogin('erin', field));
        const token = String(json.access_token);
        it.app.clock.advance(30_000);
        it.app.stub.keysOf('erin').master ??= makeCrossSigningKeys('@erin:localhost').master_key;
        const keys = makeCrossSigningKeys('@erin:localhost');
        const auth = { type: PASSWORD, user: '@erin:localhost', password: `horse 654321${tail()}` };
        expect((await upload({ ...keys, auth }, token)).status).toBe(200);
      }
    });
  });

  test('ten minutes later a code is needed, also in a session that was begun before', async () => {
    const { token, typed } = await signedIn();
    it.app.clock.advance(9 * MINUTE);
    const early = await upload(UPLOAD_KEYS.body, token);
    expect(codeFlows(early)).toEqual([[PASSWORD]]);
    it.app.clock.advance(MINUTE);
    const session = early.json.session as string;
    for (const auth of [bobsPassword(BOBS_PASSWORD, { session }), bobsPassword(typed), bobsPassword()]) {
      const late = await upload({ ...UPLOAD_KEYS.body, auth }, token);
      expect(challengeIn(late)).toMatchObject({ status: 401, completed: [] });
      expect(codeFlows(late)).toEqual(BOTH_FLOWS);
    }
    expect(it.upstream().filter((target) => target.includes('device_signing'))).toEqual([]);
  });

  test('where the keys cannot be asked for, nothing is uploaded', async () => {
    forgetKeys();
    it.app.stub.override('/keys/query', () => ({ status: 500, body: { errcode: 'M_UNKNOWN', error: 'no' } }));
    expect((await upload({ ...UPLOAD_KEYS.body })).status).toBe(502);
    it.app.stub.override('/keys/query', () => ({
      status: 200,
      body: { device_keys: {}, failures: { localhost: {} } },
    }));
    expect((await upload({ ...makeCrossSigningKeys('@bob:localhost') })).status).toBe(502);
    expect(it.upstream()).toEqual([]);
  });

  test('keys and a code in two steps, then auth alone', async () => {
    const first = await upload({ ...UPLOAD_KEYS.body });
    const session = first.json.session as string;
    const half = await upload({ auth: { type: TOTP, session, token: it.app.code(it.bob) } });
    expect(half.json.completed).toEqual([TOTP]);
    expect((await upload({ auth: bobsPassword(BOBS_PASSWORD, { session }) })).status).toBe(200);
    expect(it.app.stub.keysOf('bob').master).toEqual(UPLOAD_KEYS.body.master_key);
  });
});
