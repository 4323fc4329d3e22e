import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { app, bob, start } from '../login/each_test.ts';
import { loginsOf, MINUTE, PASSWORD, post, STEP, signIn, submit } from '../login/support.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { SYNAPSE_DEFAULT_RATES } from '../support/stub/limits.ts';
import { Visitor } from '../support/visitor.ts';

/** Bodies that one server reads as bob's, each with something in it that no server reads. */
const DECORATIONS: readonly [string, (turn: number) => JsonObject][] = [
  ['an address beside the name', (turn) => ({ address: `x${turn}@example.org` })],
  ['a number beside the name', (turn) => ({ number: `${turn}` })],
  ['a phone beside the name', (turn) => ({ phone: `${turn}` })],
  ['another name beside the name', (turn) => ({ user: `x${turn}` })],
];

/** Everything that a decoration can stand in. */
function decorated(decoration: JsonObject): JsonObject[] {
  const { user: other, ...fields } = decoration;
  return [
    passwordLogin('bob', PASSWORD, decoration),
    {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: other ?? 'bob', ...fields },
      user: 'bob',
      password: PASSWORD,
    },
    { type: 'm.login.password', identifier: { type: 'x', ...decoration }, user: 'bob', password: PASSWORD },
  ];
}

describe.each(DECORATIONS)('attack 126: %s, twelve at once', (_name, decoration) => {
  const flood = () =>
    Promise.all(
      Array.from({ length: 12 }, (_, turn) => decorated(decoration(turn)))
        .flat()
        .map((body) => post(app, LOGIN, body)),
    );

  test('attack 126: refused as they are, and nothing reaches the homeserver', async () => {
    await start({ loginRates: SYNAPSE_DEFAULT_RATES });
    const answers = await flood();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    expect(new Set(answers.map(({ body }) => body.errcode))).toEqual(new Set(['M_BAD_JSON']));
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 126: the owner then gets in by every door', async () => {
    await start({ loginRates: SYNAPSE_DEFAULT_RATES });
    await flood();
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(200);
    expect((await signIn(app, 'bob', `${PASSWORD} ${bob.recoveryCodes[0]}`)).status).toBe(200);
    app.clock.advance(STEP);
    const visitor = new Visitor(app.url);
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`);
    await visitor.send({ user: 'bob', password: PASSWORD });
    await visitor.send({ code: app.code(bob) });
    expect((await visitor.send({ decision: 'allow' })).status).toBe(303);
  });
});

test('attack 108: spellings of the password that one server takes for the same make few logins', async () => {
  await start({ loginRates: SYNAPSE_DEFAULT_RATES });
  const wide = (at: number) =>
    `${PASSWORD.slice(0, at)}${String.fromCodePoint((PASSWORD.codePointAt(at) ?? 0) + 0xfee0)}${PASSWORD.slice(at + 1)}`;
  for (const at of [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]) await signIn(app, 'bob', wide(at));
  expect(loginsOf(app).length).toBeLessThan(5);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
});

test('attack 108: what follows 72 bytes of a password, where a server cuts there, uses up nothing', async () => {
  const long = 'correct horse battery staple '.repeat(4);
  await start({ users: [{ name: 'bob', password: long }], loginRates: SYNAPSE_DEFAULT_RATES });
  for (let minute = 0; minute < 32; minute++) {
    for (const tail of ['x', 'y', 'z']) await signIn(app, 'bob', `${long}${minute}${tail}`);
    app.clock.advance(MINUTE);
    await app.proxy.keepHouse();
  }
  await signIn(app, 'bob', `${long}!`);
  expect((await submit(app, await signIn(app, 'bob', long), app.code(bob))).status).toBe(200);
});

test('attack 108: who asks for refresh tokens uses up no logins of an owner who does not', async () => {
  await start({ loginRates: SYNAPSE_DEFAULT_RATES });
  const hisWish = { refresh_token: true };
  for (let minute = 0; minute < 32; minute++) {
    for (const spelling of ['bob', 'BOB', 'Bob', '@bob:localhost']) {
      await signIn(app, spelling, PASSWORD, hisWish);
    }
    app.clock.advance(MINUTE);
    await app.proxy.keepHouse();
  }
  const held = await signIn(app, 'bob', PASSWORD, hisWish);
  expect(held.status).toBe(401);
  const owner = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect(owner.status).toBe(200);
  expect(owner.body).not.toHaveProperty('refresh_token');
  expect(owner.body).not.toHaveProperty('expires_in_ms');
  expect(app.stub.isLive(owner.body.access_token)).toBe(true);
});

test('attack 71: one user who begins session after session crowds out no one else', async () => {
  await start({ config: 'uia: { max_sessions: 20 }' });
  const challenge = await signIn(app, 'bob');
  const { token } = app.stub.signIn('alice');
  for (let turn = 0; turn < 30; turn++) {
    await app.post('/_matrix/client/v3/account/two-factor/totp', { name: `phone ${turn}` }, token);
  }
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});
