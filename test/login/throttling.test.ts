import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { app, bob, start } from './each_test.ts';
import { ask, loginsOf, MINUTE, PASSWORD, post, RECOVERY, STEP, signIn, submit, TOTP } from './support.ts';

const OWN_LIMITS_ONLY = 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }';

/** Fails `times` times in a row, each in a sign-in of its own. */
async function failTimes(times: number): Promise<void> {
  for (let failure = 0; failure < times; failure++) {
    const answer = await submit(app, await signIn(app, 'bob'), app.wrongCode(bob));
    expect(answer.status).toBe(401);
  }
}

/** In one lane, or in all. */
async function failures(lane?: string): Promise<number> {
  const lanes = await app.storage.read(lanesOf(bob.userId));
  const counted = lanes.filter((each) => lane === undefined || each.lane === lane);
  return counted.reduce((sum, each) => sum + each.failures, 0);
}

describe('attack 53: a TOTP code counts once', () => {
  test('attack 53: in the same session', async () => {
    await start();
    const challenge = await signIn(app, 'bob');
    const code = app.code(bob);
    expect((await submit(app, challenge, code)).status).toBe(200);
    expect((await submit(app, challenge, code)).status).toBe(401);
  });

  test('attack 53: in another session', async () => {
    await start();
    const code = app.code(bob);
    const [first, second] = [await signIn(app, 'bob'), await signIn(app, 'bob')];
    expect((await submit(app, first, code)).status).toBe(200);
    expect((await submit(app, second, code)).status).toBe(401);
    expect(app.stub.liveTokens('bob').length).toBeGreaterThan(0);
  });

  test('attack 53: fifty times at once over as many sessions', async () => {
    await start({ config: OWN_LIMITS_ONLY });
    const challenges = [];
    for (let turn = 0; turn < 50; turn++) challenges.push(await signIn(app, 'bob'));
    const code = app.code(bob);
    const answers = await Promise.all(challenges.map((challenge) => submit(app, challenge, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![200, 401, 429].includes(status))).toEqual([]);
  });
});

test('attack 54: one step before and after are taken, two are not, and none older than the last', async () => {
  await start();
  app.clock.advance(10 * STEP);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob, -2))).status).toBe(401);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob, 2))).status).toBe(401);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob, -1))).status).toBe(200);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob, 1))).status).toBe(200);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(401);
});

test('attack 75: step t, then t+1, then t again inside the window is refused', async () => {
  await start();
  const [now, next] = [app.code(bob), app.code(bob, 1)];
  expect((await submit(app, await signIn(app, 'bob'), now)).status).toBe(200);
  expect((await submit(app, await signIn(app, 'bob'), next)).status).toBe(200);
  expect((await submit(app, await signIn(app, 'bob'), now)).status).toBe(401);
});

test('attack 62: a clock that jumps back makes no code good again', async () => {
  await start();
  app.clock.advance(10 * STEP);
  const code = app.code(bob);
  expect((await submit(app, await signIn(app, 'bob'), code)).status).toBe(200);
  app.clock.advance(-STEP);
  expect((await submit(app, await signIn(app, 'bob'), code)).status).toBe(401);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(401);
});

test('attack 76: the step that confirmed an enrolment is not a login code', async () => {
  await start();
  const { token } = app.stub.signIn('alice');
  const path = '/_matrix/client/v3/account/two-factor/totp';
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'alice' },
    password: PASSWORD,
  };
  const setUp = await app.post(path, { name: 'phone', auth }, token);
  const seed = base32(String(setUp.json.seed));
  const alice = { ...bob, userId: '@alice:localhost', seed };
  const code = app.code(alice);
  const confirmed = await app.post(
    `${path}/confirm`,
    { setup_id: String(setUp.json.setup_id), token: code },
    token,
  );
  expect(confirmed.status).toBe(200);
  expect((await submit(app, await signIn(app, 'alice'), code)).status).toBe(401);
  app.clock.advance(STEP);
  expect((await submit(app, await signIn(app, 'alice'), app.code(alice))).status).toBe(200);
});

describe('attack 55: wrong codes bring waits', () => {
  test('attack 55: the fifth starts one that says how long, for the right code too', async () => {
    await start();
    await failTimes(5);
    const right = await submit(app, await signIn(app, 'bob'), app.code(bob));
    expect(right.status).toBe(429);
    expect(right.body).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 30_000 });
    expect(right.headers['retry-after']).toBe('30');

    app.clock.advance(STEP);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });

  test('attack 55: the count survives new sessions, a restart and other addresses', async () => {
    await start({ config: 'trusted_proxies: [127.0.0.1]' });
    for (let failure = 0; failure < 5; failure++) {
      const from = { 'X-Forwarded-For': `198.51.100.${failure}` };
      const challenge = await post(app, LOGIN, passwordLogin('bob', PASSWORD), from);
      const auth = { type: TOTP, session: challenge.body.session, token: app.wrongCode(bob) };
      expect((await post(app, LOGIN, { auth }, from)).status).toBe(401);
    }
    await app.shutDown();
    await app.start();
    const answer = await submit(app, await signIn(app, 'bob'), app.code(bob));
    expect(answer.status).toBe(429);
  });

  test('attack 55: a session is dead after its fifth wrong code', async () => {
    await start();
    const challenge = await signIn(app, 'bob');
    for (let failure = 0; failure < 5; failure++) {
      expect((await submit(app, challenge, app.wrongCode(bob))).status).toBe(401);
    }
    app.clock.advance(MINUTE);
    const late = await ask(app, challenge);
    expect(late.body.session).not.toBe(challenge.body.session);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(401);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });
});

describe('attack 56: no one locks the owner out', () => {
  test('attack 56: without the password nothing is counted', async () => {
    await start({ config: OWN_LIMITS_ONLY });
    for (let times = 0; times < 20; times++) {
      await signIn(app, 'bob', `wrong${app.wrongCode(bob)}`);
      const auth = { type: TOTP, session: `m2fa_${'A'.repeat(27)}`, token: app.wrongCode(bob) };
      await post(app, LOGIN, { ...passwordLogin('bob', 'wrong'), auth });
      await post(app, LOGIN, { auth });
    }
    expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });

  test('attack 56: with the password a stranger stops neither a recovery code nor the live session', async () => {
    await start();
    await failTimes(5);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(429);

    const { token } = app.stub.signIn('bob', 'LIVE');
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: `${PASSWORD} ${app.code(bob)}`,
    };
    const inSession = await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'], auth }, token);
    expect(inSession.status).toBe(200);
  });

  test('attack 56: a recovery code signs in while TOTP waits', async () => {
    await start();
    await failTimes(5);
    const answer = await submit(app, await signIn(app, 'bob'), bob.recoveryCodes[0], RECOVERY);
    expect(answer.status).toBe(200);
    // An accepted factor clears all.
    expect(await failures()).toBe(0);
  });
});

describe('attack 57: a recovery code counts once', () => {
  test('attack 57: however it is written', async () => {
    await start();
    const [code = ''] = bob.recoveryCodes;
    expect((await submit(app, await signIn(app, 'bob'), code.toUpperCase(), RECOVERY)).status).toBe(200);
    for (const spelling of [code, code.replaceAll('-', ''), code.replaceAll('-', ' '), ` ${code} `]) {
      expect((await submit(app, await signIn(app, 'bob'), spelling, RECOVERY)).status).toBe(401);
    }
  });

  test('attack 57: in parallel', async () => {
    await start();
    const challenges = [];
    for (let turn = 0; turn < 10; turn++) challenges.push(await signIn(app, 'bob'));
    const [code] = bob.recoveryCodes;
    const answers = await Promise.all(challenges.map((each) => submit(app, each, code, RECOVERY)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

test('attack 94: a recovery code leaves 2FA on and is on record with address, device and what is left', async () => {
  await start();
  const answer = await submit(app, await signIn(app, 'bob'), bob.recoveryCodes[1], RECOVERY);
  expect(answer.status).toBe(200);
  expect(await app.storage.factors.isEnrolled(bob.userId)).toBe(true);
  const records = await app.storage.audit.list({ userId: bob.userId });
  const used = records.find(({ event }) => event === 'recovery.used');
  expect(used).toMatchObject({ address: '127.0.0.1', detail: { position: 2, remaining: 2 } });
  const completed = records.find(({ event }) => event === 'login.completed');
  expect(completed).toMatchObject({ address: '127.0.0.1', deviceId: answer.body.device_id });
  expect((await signIn(app, 'bob')).status).toBe(401);
});

test('the recovery flow is offered only while codes remain', async () => {
  await start();
  for (const code of bob.recoveryCodes) {
    const challenge = await signIn(app, 'bob');
    expect(challenge.body.flows).toHaveLength(2);
    expect((await submit(app, challenge, code, RECOVERY)).status).toBe(200);
  }
  expect((await signIn(app, 'bob')).body.flows).toEqual([{ stages: ['m.login.password', TOTP] }]);
});

test('attack 77: of as many wrong codes at once as a hold has sessions no more are looked at than the throttle allows', async () => {
  await start({ config: OWN_LIMITS_ONLY });
  const challenges = [];
  for (let turn = 0; turn < 50; turn++) challenges.push(await signIn(app, 'bob'));
  const wrong = app.wrongCode(bob);
  const answers = await Promise.all(challenges.map((challenge) => submit(app, challenge, wrong)));
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited).toHaveLength(45);
  expect(new Set(limited.map(({ text }) => text)).size).toBe(1);
  expect(await failures()).toBe(5);
});

test('attack 78: a client that hangs up does not undo its failure', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const hangUp = new AbortController();
  const real = app.storage.read.bind(app.storage);
  const begun = new Promise<void>((resolve) => {
    Object.assign(app.storage, {
      read: async (query: Parameters<typeof real>[0]) => {
        hangUp.abort();
        resolve();
        return real(query);
      },
    });
  });
  const auth = { type: TOTP, session: String(challenge.body.session), token: app.wrongCode(bob) };
  const gone = app.call({ target: LOGIN, json: { auth }, signal: hangUp.signal });
  await expect(gone).rejects.toThrow();
  await begun;
  while ((await failures()) === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await failures()).toBe(1);
});

test('attack 78: a failure stays although its answer is lost', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const { commit } = app.storage;
  const cutOff: typeof commit = async (...unit) => {
    await commit(...unit);
    throw new StoreUnavailable(new Error('the connection was cut before the answer'));
  };
  Object.assign(app.storage, { commit: cutOff });
  const answer = await submit(app, challenge, app.wrongCode(bob));
  Object.assign(app.storage, { commit });
  expect(answer.status).toBe(503);
  expect(await failures()).toBe(1);
});

test('attack 79: native stages and appended codes share one count', async () => {
  await start();
  for (let turn = 0; turn < 5; turn++) {
    const answer =
      turn % 2 === 0
        ? await signIn(app, 'bob', `${PASSWORD} ${app.wrongCode(bob)}`)
        : await submit(app, await signIn(app, 'bob'), app.wrongCode(bob));
    expect(answer.status).toBe(401);
  }
  expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(429);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(429);
});

test('attack 80: only an accepted factor clears the count', async () => {
  await start();
  await failTimes(3);
  await signIn(app, 'bob');
  await signIn(app, 'bob', 'wrong');
  await submit(app, await signIn(app, 'bob'), 'abcd-efgh-jkmn', RECOVERY);
  expect(await failures()).toBe(3);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  expect(await failures()).toBe(0);
});

test('attack 81: X-Forwarded-For of a peer that is not trusted changes no limit', async () => {
  await start({ config: 'limits: { per_address: { per_second: 0.001, burst_count: 3 } }' });
  const statuses = [];
  for (let turn = 0; turn < 5; turn++) {
    const from = { 'X-Forwarded-For': `203.0.113.${turn}` };
    const challenge = await post(app, LOGIN, passwordLogin('bob', PASSWORD), from);
    const auth = { type: TOTP, session: challenge.body.session, token: app.wrongCode(bob) };
    statuses.push((await post(app, LOGIN, { auth }, from)).status);
  }
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect(loginsOf(app)[0]?.headers['x-forwarded-for']).toBe('127.0.0.1');
});

test('attack 87: wrong and spent codes are told in the same bytes', async () => {
  await start();
  const spent = app.code(bob);
  const [spentRecovery = ''] = bob.recoveryCodes;
  expect((await submit(app, await signIn(app, 'bob'), spent)).status).toBe(200);
  expect((await submit(app, await signIn(app, 'bob'), spentRecovery, RECOVERY)).status).toBe(200);
  const challenge = await signIn(app, 'bob');
  const texts = [];
  for (const [token, type] of [
    [spent, TOTP],
    [app.wrongCode(bob), TOTP],
    [spentRecovery, RECOVERY],
    ['abcd-efgh-jkmn', RECOVERY],
  ] as const) {
    const answer = await submit(app, challenge, token, type);
    texts.push(`${answer.status} ${answer.text}`);
  }
  expect(new Set(texts).size).toBe(1);
});

test('attack 55: a hundred wrong codes in a row shut TOTP; a recovery code still opens, and opens TOTP again', async () => {
  await start({ config: OWN_LIMITS_ONLY });
  for (let failure = 0; failure < 100; failure++) {
    app.clock.advance(4 * 60 * MINUTE);
    const answer = await signIn(app, 'bob', `${PASSWORD} ${app.wrongCode(bob)}`);
    expect(answer.status).toBe(401);
  }
  app.clock.advance(24 * 60 * MINUTE);
  expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(429);
  expect((await signIn(app, 'bob', `${PASSWORD} ${bob.recoveryCodes[0]}`)).status).toBe(200);
  expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(200);
});

function base32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
