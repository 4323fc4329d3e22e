import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  type GuardedApp,
  PASSWORD,
  startGuarded,
  UPLOAD_KEYS,
} from '../guard/guarded.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';

const SET_UP = '/_matrix/client/v3/account/two-factor/totp';
const MINUTE = 60_000;

let it: GuardedApp;
let addresses = 0;
beforeEach(async () => {
  it = await startGuarded({ config: 'trusted_proxies: [127.0.0.1]' });
});
afterEach(() => it.app.stop());

/** A guess that comes from an address of its own. */
function guess(target: string, token: string, password: string, body = {}): Promise<HttpAnswer> {
  addresses += 1;
  return it.app.call({
    method: 'POST',
    target,
    token,
    json: { ...body, auth: { type: PASSWORD, password } },
    headers: { 'x-forwarded-for': `10.${addresses >> 8}.${addresses & 255}.1` },
  });
}

/** How many passwords the homeserver was sent. */
function judged(): number {
  return it.app.stub.requests.filter(({ json, endpoint }) => {
    const auth = json?.auth;
    return endpoint !== 'login' && typeof auth === 'object' && auth !== null && 'password' in auth;
  }).length;
}

function countsOf(answers: readonly HttpAnswer[]) {
  const statuses = answers.map(({ status }) => status);
  return [401, 429].map((status) => statuses.filter((each) => each === status).length);
}

test.each(['in turn', 'at once'])(
  'attack 146: 100 wrong passwords at set-up under one token from 100 addresses, %s: 20 are judged, then one a minute',
  async (pace) => {
    const wrong = (at: number) => guess(SET_UP, it.alicesToken, `wrong ${at}`);
    const tries = Array.from({ length: 100 }, (_, at) => at);
    const answers: HttpAnswer[] = [];
    if (pace === 'in turn') for (const at of tries.splice(0, 25)) answers.push(await wrong(at));
    answers.push(...(await Promise.all(tries.map(wrong))));
    expect(countsOf(answers)).toEqual([20, 80]);
    expect(judged()).toBe(20);
    const limited = answers.find(({ status }) => status === 429);
    expect(limited?.json.errcode).toBe('M_LIMIT_EXCEEDED');
    expect(limited?.json.retry_after_ms).toBeLessThanOrEqual(MINUTE);

    it.app.clock.advance(MINUTE);
    expect(countsOf([await wrong(100), await wrong(101)])).toEqual([1, 1]);
    expect(judged()).toBe(21);
    // Another token of the same device has no tries of its own; another device does.
    const renewed = it.app.stub.signIn('alice', 'ALICESPHONE').token;
    expect((await guess(SET_UP, renewed, ALICES_PASSWORD)).status).toBe(429);
    const elsewhere = it.app.stub.signIn('alice', 'LAPTOP').token;
    expect((await guess(SET_UP, elsewhere, ALICES_PASSWORD)).status).toBe(200);
    it.app.clock.advance(MINUTE);
    expect((await guess(SET_UP, it.alicesToken, ALICES_PASSWORD)).status).toBe(200);
  },
);

test('attack 146: the same where new keys need the password alone, in the ten minutes after a sign-in', async () => {
  const typed = `${BOBS_PASSWORD} ${it.app.code(it.bob)}`;
  const { json } = await it.app.post(LOGIN, passwordLogin('bob', typed));
  const token = String(json.access_token);
  const wrong = (at: number) => guess(UPLOAD_KEYS.target, token, `wrong ${at}`, UPLOAD_KEYS.body);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => wrong(at)));
  expect(countsOf(answers)).toEqual([20, 80]);
  expect(judged()).toBe(20);
});

test('attack 146: right passwords are not counted', async () => {
  for (let at = 0; at < 30; at++) {
    expect((await guess(SET_UP, it.alicesToken, ALICES_PASSWORD)).status).toBe(200);
  }
});
