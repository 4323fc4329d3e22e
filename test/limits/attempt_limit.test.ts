import { expect, test } from '@jest/globals';
import { app, bob, start } from '../login/each_test.ts';
import { PASSWORD, signIn, submit } from '../login/support.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

/** As in config.sample.yaml. Time stands still here: nothing comes back. */
const BURST = 60;
const TRIES = 200;
const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`;
const REGISTER = '/_matrix/client/v3/register';
const SETUP = '/_matrix/client/v3/account/two-factor/totp';

/** What an answer comes to: a page tells of its limit in words. */
function statusOf({ status, text }: HttpAnswer): number {
  return text.includes('Too many attempts from your network.') ? 429 : status;
}

/** A wrong password at a door, the n-th; what it answers. */
const DOORS: readonly [string, (turn: number) => Promise<HttpAnswer>, RegExp][] = [
  ['/login', (turn) => app.post(LOGIN, passwordLogin('bob', `wrong ${turn}`)), /\/login$/],
  ['/login, of an unknown user', (turn) => app.post(LOGIN, passwordLogin(`x${turn}`, 'wrong')), /\/login$/],
  [
    'the page',
    async (turn) => {
      const visitor = new Visitor(app.url);
      await visitor.open(PAGE);
      return visitor.send({ user: 'bob', password: `wrong ${turn}` });
    },
    /\/login$/,
  ],
  [
    '/register',
    (turn) =>
      app.post(REGISTER, {
        username: `new${turn}`,
        password: 'x',
        auth: { type: 'm.login.registration_token', token: `wrong${turn}` },
      }),
    /\/register$/,
  ],
];

test.each(DOORS)(
  'attack 142: of 200 wrong passwords from one address at %s no more than the burst reach the homeserver',
  async (_door, knock, path) => {
    await start();
    const statuses: number[] = [];
    let last: HttpAnswer | undefined;
    for (let turn = 0; turn < TRIES; turn++) {
      last = await knock(turn);
      statuses.push(statusOf(last));
    }
    const arrived = app.stub.requests.filter(({ method, target }) => method === 'POST' && path.test(target));
    expect(arrived).toHaveLength(BURST);
    expect(statuses.slice(BURST)).toEqual(Array.from({ length: TRIES - BURST }, () => 429));
    expect(Number(last?.headers['retry-after'])).toBe(1);
    if (last?.json.errcode !== undefined) expect(last.json.retry_after_ms).toBe(500);
    // One comes back each half second.
    app.clock.advance(500);
    expect(statusOf(await knock(TRIES))).not.toBe(429);
    expect(statusOf(await knock(TRIES))).toBe(429);
  },
);

test('attack 142: of 200 wrong passwords at the own API no more than the burst reach the homeserver', async () => {
  await start();
  const { token } = app.stub.signIn('alice');
  for (let turn = 0; turn < TRIES; turn++) {
    const identifier = { type: 'm.id.user', user: 'alice' };
    const auth = { type: 'm.login.password', identifier, password: `wrong ${turn}` };
    await app.post(SETUP, { auth }, token);
  }
  const judged = app.stub.requests.filter(({ json }) => json?.auth !== undefined);
  expect(judged.length).toBeGreaterThan(0);
  expect(judged.length).toBeLessThanOrEqual(BURST);
});

test('attack 142: 300 people behind one address who sign in rightly are not limited, one by one or at once', async () => {
  await start();
  for (let turn = 0; turn < 100; turn++) expect((await signIn(app, 'alice')).status).toBe(200);
  const atOnce = await Promise.all(
    Array.from({ length: 200 }, () => app.post(LOGIN, passwordLogin('alice', PASSWORD))),
  );
  expect(new Set(atOnce.map(({ status }) => status))).toEqual(new Set([200]));
  for (let turn = 0; turn < 100; turn++) {
    app.clock.advance(30_000);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  }
});

test('attack 142: a sign-in that joins a held one knew the password, and takes nothing', async () => {
  await start();
  for (let turn = 0; turn < 100; turn++) expect((await signIn(app, 'bob')).status).toBe(401);
});

test('attack 142: the second login to a chosen device is not an attempt', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
  for (let turn = 0; turn < BURST - 1; turn++) await signIn(app, 'alice', 'wrong');
  const answer = await submit(app, challenge, app.code(bob));
  expect(answer.status).toBe(200);
  expect(answer.body.device_id).toBe('PHONE');
});
