import { describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
import { loginsOf, MINUTE, PASSWORD, post, STEP, signIn, submit } from './support.ts';

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('client quirk: Element X, gomuks, bots: a code behind the password signs in at once', async () => {
    await start({ personality });
    const answer = await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`);
    expect(answer.status).toBe(200);
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
    expect(loginsOf(app).map(({ json }) => json)).toEqual([passwordLogin('bob', PASSWORD)]);
  });

  test('a wrong code behind the right password opens nothing', async () => {
    await start({ personality });
    const answer = await signIn(app, 'bob', `${PASSWORD}${app.wrongCode(bob)}`);
    expect(answer.status).toBe(401);
    expect(answer.body.errcode).toBe('M_FORBIDDEN');
    expect(answer.text).not.toContain(app.stub.liveTokens('bob')[0]);
  });

  test('attack 100: a user without 2FA who types six digits more gets 403 and no device', async () => {
    await start({ personality });
    const answer = await signIn(app, 'alice', `${PASSWORD}123456`);
    expect(answer.status).toBe(403);
    expect(answer.body.errcode).toBe('M_FORBIDDEN');
    expect(app.stub.liveTokens('alice')).toEqual([]);
    expect(app.stub.devicesOf('alice')).toEqual([]);
  });

  test('attack 100: a password that ends in six digits works as before, and with a code behind it', async () => {
    await start({ personality });
    app.stub.addUser({ name: 'dora', password: 'pass 654321' });
    app.stub.addUser({ name: 'carl', password: 'pass654321' });
    const carl = await app.enrol('carl');

    const dora = await signIn(app, 'dora', 'pass 654321');
    expect(dora.status).toBe(200);
    expect(app.stub.liveTokens('dora')).toEqual([dora.body.access_token]);

    const native = await submit(app, await signIn(app, 'carl', 'pass654321'), app.code(carl));
    expect(native.status).toBe(200);
    app.clock.advance(STEP);
    const appended = await signIn(app, 'carl', `pass654321${app.code(carl)}`);
    expect(appended.status).toBe(200);
    expect(app.stub.liveTokens('carl').sort()).toEqual(
      [native.body.access_token, appended.body.access_token].sort(),
    );
  });

  test('attack 100: failing costs and tells the same for those with 2FA and those without', async () => {
    await start({ personality });
    const answers = [];
    for (const name of ['alice', 'bob']) {
      app.stub.clear();
      const answer = await signIn(app, name, 'wrong 123456');
      answers.push({ status: answer.status, text: answer.text, logins: loginsOf(app).length });
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.logins).toBe(2);
  });

  test('attack 111: behind a password of 72 bytes or more the code counts', async () => {
    await start({ personality });
    const long = 'p'.repeat(72);
    app.stub.addUser({ name: 'lena', password: long });
    const lena = await app.enrol('lena');

    const withoutCode = await signIn(app, 'lena', long);
    expect(withoutCode.status).toBe(401);
    const wrong = await signIn(app, 'lena', `${long}${app.wrongCode(lena)}`);
    expect(wrong.status).toBe(401);
    const right = await signIn(app, 'lena', `${long} ${app.code(lena)}`);
    expect(right.status).toBe(200);
    expect(app.stub.liveTokens('lena')).toEqual([right.body.access_token]);
  });
});

test('a recovery code counts with its dashes, with or without a space, and without dashes after a space', async () => {
  await start();
  const [first = '', second = '', third = ''] = bob.recoveryCodes;
  for (const tail of [first, ` ${second}`, ` ${third.replaceAll('-', '')}`]) {
    const answer = await signIn(app, 'bob', `${PASSWORD}${tail}`);
    expect(answer.status).toBe(200);
  }
  expect(app.stub.liveTokens('bob')).toHaveLength(3);
});

test('twelve letters without a space are part of the password', async () => {
  await start();
  const passphrase = 'correcthorsestaple';
  app.stub.addUser({ name: 'paul', password: passphrase });
  const paul = await app.enrol('paul');
  expect((await submit(app, await signIn(app, 'paul', passphrase), app.code(paul))).status).toBe(200);
  expect(loginsOf(app)).toHaveLength(1);
});

test('the same request with its spent code, after the sign-in is done, opens nothing', async () => {
  await start();
  const field = `${PASSWORD} ${app.code(bob)}`;
  const first = await signIn(app, 'bob', field);
  const second = await signIn(app, 'bob', field);
  expect(first.status).toBe(200);
  expect(second.status).toBe(401);
  expect(second.text).not.toContain(first.body.access_token);
  app.clock.advance(10 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([first.body.access_token]);
});

test('no code is looked at before the password was proven', async () => {
  await start();
  const code = app.code(bob);
  for (let times = 0; times < 7; times++) {
    expect((await signIn(app, 'bob', `wrong ${app.wrongCode(bob)}`)).status).toBe(403);
  }
  expect((await signIn(app, 'bob', `wrong ${code}`)).status).toBe(403);
  expect((await signIn(app, 'bob', `${PASSWORD} ${code}`)).status).toBe(200);
});

test('the appended code can be switched off', async () => {
  await start({ config: 'login: { appended_code: false }' });
  expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(403);
  expect(loginsOf(app)).toHaveLength(1);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
});

test('where no one has 2FA a password with six digits costs one login', async () => {
  await start();
  await app.storage.factors.removeAllFactors(bob.userId);
  expect((await signIn(app, 'alice', 'wrong 123456')).status).toBe(403);
  expect(loginsOf(app)).toHaveLength(1);
});

test('attack 58: an appended code keeps its leading zeros and is read in ASCII digits only', async () => {
  await start();
  let zeros = app.code(bob);
  for (let steps = 0; !zeros.startsWith('0') && steps < 500; steps++) {
    app.clock.advance(STEP);
    zeros = app.code(bob);
  }
  expect(zeros).toMatch(/^0/);
  const fullWidth = zeros.replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
  expect((await signIn(app, 'bob', `${PASSWORD} ${fullWidth}`)).status).toBe(403);
  expect((await signIn(app, 'bob', `${PASSWORD} ${zeros.slice(1)}`)).status).toBe(403);
  expect((await signIn(app, 'bob', `${PASSWORD} ${zeros}`)).status).toBe(200);
});

test('attack 53: the same appended code fifty times at once gives one token', async () => {
  await start({ config: 'limits: { per_address: { per_second: 1000, burst_count: 1000 } }' });
  const body = passwordLogin('bob', `${PASSWORD} ${app.code(bob)}`);
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(app, LOGIN, body)));
  const granted = answers.filter(({ status }) => status === 200);
  expect(granted).toHaveLength(1);
  expect(answers.filter(({ status }) => ![200, 401, 429].includes(status))).toEqual([]);
  app.clock.advance(10 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([granted[0]?.body.access_token]);
});
