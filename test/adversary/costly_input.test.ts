import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LOGIN, startApp, type TestApp } from '../support/app.ts';
import { extraCostMs } from '../support/cpu_cost.ts';
import type { HttpCall } from '../support/http.ts';

const BYTES = 14 * 1024;
const PAGE = '/_2fa/login?redirectUrl=https%3A%2F%2Fclient.example.org%2F';
/** Five, on a processor that is shared with other tests; what is not linear takes hundreds. */
const BUDGET_MS = 15;

let app: TestApp;

beforeAll(async () => {
  app = await startApp({
    config: 'trusted_proxies: [127.0.0.1]\nlimits: { per_address: { per_second: 9999, burst_count: 9999 } }',
  });
});

afterAll(() => app.stop());

/** Every place of a request that we read, with `text` in it. */
const PLACES: readonly [string, (text: string) => HttpCall][] = [
  ...['accept-language', 'cookie', 'origin', 'x-forwarded-for', 'authorization', 'content-type'].map(
    (name): [string, (text: string) => HttpCall] => [
      name,
      (text) => ({ target: PAGE, headers: { [name]: `x${text}x` } }),
    ],
  ),
  ['the query', (text) => ({ target: `${PAGE}&x=${encodeURIComponent(text).slice(0, BYTES)}` })],
  [
    'the redirect',
    (text) => ({ target: `/_2fa/login?redirectUrl=${encodeURIComponent(text).slice(0, BYTES)}` }),
  ],
  [
    'a field of a form',
    (text) => ({
      target: PAGE,
      body: new URLSearchParams({ form_token: text, name: text, password: text }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    }),
  ],
  [
    'a user name',
    (text) => ({ target: LOGIN, json: { type: 'm.login.password', user: text, password: 'x' } }),
  ],
  [
    'an address',
    (text) => ({
      target: LOGIN,
      json: {
        type: 'm.login.password',
        identifier: { type: 'm.id.thirdparty', address: text },
        password: 'x',
      },
    }),
  ],
  [
    'a password',
    (text) => ({ target: LOGIN, json: { type: 'm.login.password', user: 'x', password: text } }),
  ],
  ['a session', (text) => ({ target: LOGIN, json: { auth: { session: `m2fa_${text}`, type: text } } })],
];

/** What patterns for headers, addresses, codes and names take long over, if they do. */
const UNITS = [
  ' ',
  '\t',
  ';',
  ',',
  '; ',
  ' ;q=',
  ', ',
  '-',
  '1',
  'a@',
  '%25',
  '"',
  '\\',
  ':',
  '=',
  '.',
  '[',
  'm2fa_',
  '1:',
  '/',
];

test.each(PLACES)('attack 119: 14 KB crafted for %s cost no more than letters', async (_, asking) => {
  const asked = (unit: string) => () =>
    app.call(asking(unit.repeat(Math.ceil(BYTES / unit.length)).slice(0, BYTES)));
  for (const unit of UNITS) {
    const extra = await extraCostMs(asked(unit), asked('x'), BUDGET_MS, 3);
    expect({ unit, withinBudget: extra < BUDGET_MS }).toEqual({ unit, withinBudget: true });
  }
});
