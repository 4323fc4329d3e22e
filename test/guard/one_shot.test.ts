import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  BOTH_FLOWS,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  codeFlows,
  DELETE_DEVICES,
  GUARDED_CALLS,
  type GuardedApp,
  PASSWORD,
  startGuarded,
  TOTP,
} from './guarded.ts';

describeGuarded(() => {
  test('a one-shot password without a code is told what to type, and counts nothing', async () => {
    const answer = await it.asBob(CHANGE_PASSWORD, bobsPassword());
    expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
    expect(answer.json.error).toMatch(
      /Type the current code .* directly after your password\. Help: http\S+\/_2fa\/help$/,
    );
    expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
  });

  test.each([
    ['its six digits directly', (code: string) => code],
    ['a blank and its six digits', (code: string) => ` ${code}`],
  ])('a one-shot password with a code counts for both stages: %s', async (_, tail) => {
    const auth = bobsPassword(`${BOBS_PASSWORD}${tail(it.app.code(it.bob))}`);
    const done = await it.asBob(CHANGE_PASSWORD, auth);
    expect(done.status).toBe(200);
    expect(it.app.stub.passwordOf('bob')).toBe('entirely different words');
    expect(it.upstream()).toEqual([`POST ${CHANGE_PASSWORD.target}`]);
    expect(it.app.stub.requestsTo('password')[0]?.json?.auth).toEqual(bobsPassword());
  });

  test('a recovery code may stand behind the password, dashed or after a blank', async () => {
    const [first, second] = it.bob.recoveryCodes as [string, string];
    const dashed = await it.asBob(DELETE_DEVICES, bobsPassword(`${BOBS_PASSWORD} ${first}`));
    expect(dashed.status).toBe(200);
    const bare = await it.asBob(
      DELETE_DEVICES,
      bobsPassword(`${BOBS_PASSWORD} ${second.replaceAll('-', '')}`),
    );
    expect(bare.status).toBe(200);
    const again = await it.asBob(DELETE_DEVICES, bobsPassword(`${BOBS_PASSWORD} ${first}`));
    expect(challengeIn(again)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
  });

  test('a one-shot second factor begins a session with its stage done', async () => {
    const half = await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.code(it.bob) });
    expect(challengeIn(half)).toMatchObject({ status: 401, completed: [TOTP] });
    const auth = bobsPassword(BOBS_PASSWORD, { session: half.json.session as string });
    expect((await it.authAlone(DELETE_DEVICES, auth)).status).toBe(200);
  });

  test('a one-shot never rides on what another request has proven', async () => {
    await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.code(it.bob) });
    const answer = await it.asBob(DELETE_DEVICES, bobsPassword());
    expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [] });
    expect(it.upstream()).toEqual([]);
  });

  test.each([
    ['the full id', { identifier: { type: 'm.id.user', user: '@bob:localhost' } }],
    ['the local part', { identifier: { type: 'm.id.user', user: 'bob' } }],
    ['capitals', { identifier: { type: 'm.id.user', user: '@BOB:localhost' } }],
    ['the server in capitals', { identifier: { type: 'm.id.user', user: '@bob:LOCALHOST' } }],
    ['a top-level user', { user: '@bob:localhost' }],
    ['a top-level local part', { user: 'bob' }],
    ['both', { user: 'Bob', identifier: { type: 'm.id.user', user: 'bob' } }],
    ['nothing', {}],
    ['null', { identifier: null, user: null }],
  ])('attack 48: the owner by %s is their full id upstream', async (_, named) => {
    const password = `${BOBS_PASSWORD} ${it.app.code(it.bob)}`;
    const done = await it.asBob(CHANGE_PASSWORD, { type: PASSWORD, password, ...named } as JsonObject);
    expect(done.status).toBe(200);
    expect(it.app.stub.requestsTo('password').map(({ json }) => json?.auth)).toEqual([bobsPassword()]);
  });

  test.each(GUARDED_CALLS)("attack 103: with 2FA too, $name takes nobody else's name", async (call) => {
    const password = `${ALICES_PASSWORD} ${it.app.code(it.bob)}`;
    const names = [
      { user: 'alice' },
      { identifier: { type: 'm.id.user', user: '@alice:localhost' } },
      { identifier: { type: 'm.id.user', user: '@bob:localhost' }, user: '@alice:localhost' },
      { identifier: { type: 'm.id.user', user: '@bob:elsewhere' } },
      { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' } },
      { identifier: { type: 'm.id.user', user: 'bob' }, medium: 'email', address: 'a@example.org' },
    ];
    for (const named of names) {
      const answer = await it.asBob(call, { type: PASSWORD, password, ...named } as JsonObject);
      expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    }
    expect(it.upstream()).toEqual([]);
    // Looked at before the code: it is still good.
    const rest = await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.code(it.bob) });
    expect(rest.json.completed).toEqual([TOTP]);
  });
});

describe('where appended codes are switched off', () => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded({ config: 'login: { appended_code: false }' });
  });
  afterEach(() => it.app.stop());

  test('a code behind the password is part of it', async () => {
    const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
    const answer = await it.asBob(CHANGE_PASSWORD, auth);
    expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
    expect(codeFlows(answer)).toEqual(BOTH_FLOWS);
    expect(it.upstream()).toEqual([]);
  });
});
