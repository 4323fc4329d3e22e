import { describe, expect, test } from '@jest/globals';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  challengeIn,
  DELETE_DEVICES,
  RECOVERY,
  startGuarded,
  TOTP,
} from './guarded.ts';

/** An answer without what differs each time. */
function told({ status, json, headers }: HttpAnswer) {
  const { session: _, ...rest } = json;
  return { status, rest, type: headers['content-type'] };
}

describeGuarded(() => {
  async function opened(call = DELETE_DEVICES): Promise<string> {
    return (await it.asBob(call)).json.session as string;
  }

  test('attack 52: a wrong password after a right code is a 401, the code stays spent, five end the session', async () => {
    const session = await opened(CHANGE_PASSWORD);
    const token = it.app.code(it.bob);
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token });
    for (let guess = 1; guess <= 5; guess += 1) {
      const answer = await it.authAlone(CHANGE_PASSWORD, bobsPassword(`guess ${guess}`, { session }));
      expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [TOTP], errcode: 'M_FORBIDDEN' });
      expect(answer.json.session).toBe(session);
    }
    it.app.stub.clear();
    const dead = await it.authAlone(CHANGE_PASSWORD, bobsPassword(BOBS_PASSWORD, { session }));
    expect([dead.status, dead.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    const again = await it.asBob(CHANGE_PASSWORD, bobsPassword(BOBS_PASSWORD, { session }));
    expect(challengeIn(again)).toMatchObject({ status: 401, completed: [] });
    const spent = await it.asBob(CHANGE_PASSWORD, { type: TOTP, token });
    expect(challengeIn(spent)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
    expect(it.upstream()).toEqual([]);
    expect(it.app.stub.passwordOf('bob')).toBe(BOBS_PASSWORD);
  });

  test('attack 52: guesses of one session made at the same moment are judged one by one, five in all', async () => {
    const session = await opened(CHANGE_PASSWORD);
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token: it.app.code(it.bob) });
    const guesses = Array.from({ length: 40 }, (_, index) => `guess ${index}`);
    await Promise.all(
      guesses.map((guess) => {
        const auth = bobsPassword(guess, { session });
        return it.app.call({ target: CHANGE_PASSWORD.target, token: it.bobsToken, json: { auth } });
      }),
    );
    const judged = it.app.stub.requestsTo('password').filter(({ json }) => json?.auth !== undefined);
    expect(judged.length).toBeLessThanOrEqual(5);
    expect(judged.length).toBeGreaterThanOrEqual(1);
  });

  test('a wrong password in a one-shot with a right code leaves a session in which the password alone is missing', async () => {
    const auth = bobsPassword(`wrong ${it.app.code(it.bob)}`);
    const wrong = await it.asBob(CHANGE_PASSWORD, auth);
    expect(challengeIn(wrong)).toMatchObject({ status: 401, completed: [TOTP], errcode: 'M_FORBIDDEN' });
    const session = wrong.json.session as string;
    expect((await it.authAlone(CHANGE_PASSWORD, bobsPassword(BOBS_PASSWORD, { session }))).status).toBe(200);
  });

  test('attack 55: a session dies after five wrong codes', async () => {
    const session = await opened();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const auth = { type: TOTP, session, token: it.app.wrongCode(it.bob) };
      const answer = await it.authAlone(DELETE_DEVICES, auth);
      expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [], errcode: 'M_FORBIDDEN' });
    }
    it.app.clock.advance(60_000);
    const answer = await it.asBob(DELETE_DEVICES, { type: TOTP, session, token: it.app.code(it.bob) });
    expect(answer.json.session).not.toBe(session);
    expect(answer.json.completed).toEqual([]);
  });

  test('attack 55: wrong codes under a device end in 429 with a time, in every session, after a restart; not under another', async () => {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await it.asBob(DELETE_DEVICES, { type: TOTP, token: it.app.wrongCode(it.bob) });
    }
    const auth = () => ({ type: TOTP, token: it.app.code(it.bob) });
    const check = async () => {
      const answer = await it.asBob(CHANGE_PASSWORD, auth());
      expect([answer.status, answer.json.errcode]).toEqual([429, 'M_LIMIT_EXCEEDED']);
      expect(answer.json.retry_after_ms).toBe(30_000);
      expect(answer.headers['retry-after']).toBe('30');
    };
    await check();
    await it.app.shutDown();
    await it.app.start();
    await check();
    it.app.clock.advance(30_000);
    expect((await it.asBob(CHANGE_PASSWORD, auth())).json.completed).toEqual([TOTP]);
    const [lane] = await it.app.storage.read(lanesOf(it.bob.userId));
    expect(lane?.failures).toBe(0);
  });

  test('attack 56: who has only the password cannot keep the owner from acting in a live session', async () => {
    const signIn = passwordLogin('bob', `${BOBS_PASSWORD} ${it.app.wrongCode(it.bob)}`);
    for (let attempt = 1; attempt <= 8; attempt += 1) await it.app.post(LOGIN, signIn);
    const states = await it.app.storage.read(lanesOf(it.bob.userId));
    expect(states).toMatchObject([{ lane: 'elsewhere', failures: 5 }]);
    const changed = await it.asBob(CHANGE_PASSWORD, bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`));
    expect(changed.status).toBe(200);
  });

  test('attack 56: who has no valid token counts nothing', async () => {
    const session = await opened();
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const auth = { type: TOTP, session, token: it.app.wrongCode(it.bob) };
      const answer = await it.asBob(DELETE_DEVICES, auth, { token: 'of_nobody' });
      expect(answer.status).toBe(401);
    }
    expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
  });

  test('attack 87: wrong, used, malformed and odd codes are told alike', async () => {
    const used = it.app.code(it.bob);
    const half = await it.asBob(DELETE_DEVICES, { type: TOTP, token: used });
    expect(half.json.completed).toEqual([TOTP]);
    const codes = [used, it.app.wrongCode(it.bob), '12345', 'x'.repeat(500)];
    const answers: ReturnType<typeof told>[] = [];
    for (const token of codes) answers.push(told(await it.asBob(DELETE_DEVICES, { type: TOTP, token })));
    expect(answers).toEqual(codes.map(() => answers[0]));
    expect(answers[0]?.rest).toMatchObject({
      errcode: 'M_FORBIDDEN',
      error: expect.stringContaining('each code works once'),
    });
  });

  test('attack 87: wrong and used recovery codes are told alike', async () => {
    const [used] = it.bob.recoveryCodes as [string];
    const half = await it.asBob(DELETE_DEVICES, { type: RECOVERY, token: used });
    expect(half.json.completed).toEqual([RECOVERY]);
    const codes = [used, 'zzzz-zzzz-zzzz', '', 'short'].filter((code) => code !== '');
    const answers: ReturnType<typeof told>[] = [];
    for (const token of codes) answers.push(told(await it.asBob(DELETE_DEVICES, { type: RECOVERY, token })));
    expect(answers).toEqual(codes.map(() => answers[0]));
  });

  test('a missing code counts nothing, however often', async () => {
    const session = await opened();
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      for (const token of [undefined, null, '']) {
        const auth = token === undefined ? { type: TOTP, session } : { type: TOTP, session, token };
        const answer = await it.authAlone(DELETE_DEVICES, auth);
        expect(challengeIn(answer)).toMatchObject({ status: 401, errcode: undefined });
        expect(answer.json.session).toBe(session);
      }
    }
    expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
  });
});

describe('from one address', () => {
  test('attack 52: passwords are judged no faster than the limit of their address allows', async () => {
    const it = await startGuarded({ config: 'limits: { per_address: { per_second: 1, burst_count: 2 } }' });
    const { json } = await it.asBob(CHANGE_PASSWORD);
    const session = json.session as string;
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token: it.app.code(it.bob) });
    const answers = [];
    for (const guess of ['one', 'two', 'three']) {
      answers.push(await it.authAlone(CHANGE_PASSWORD, bobsPassword(guess, { session })));
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 429]);
    expect(answers[2]?.json).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1000 });
    expect(it.app.stub.requestsTo('password')).toHaveLength(2);
    await it.app.stop();
  });
});
