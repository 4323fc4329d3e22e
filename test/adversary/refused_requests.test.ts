import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import {
  bobsPassword,
  CHANGE_PASSWORD,
  DELETE_DEVICES,
  type GuardedApp,
  startGuarded,
  TOTP,
  UPLOAD_KEYS,
} from '../guard/guarded.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { extraCostMs } from '../support/cpu_cost.ts';
import type { HttpCall } from '../support/http.ts';
import { keptBytes } from '../support/kept_memory.ts';

const V3 = '/_matrix/client/v3';
const NO_LIMITS = '{ per_second: 9999, burst_count: 99999 }';
const KIB = 1024;
/** 5 ms of ours, and as much for the stub, which is asked for whoami and keys in the same process. */
const BUDGET_MS = 10;
const MOST_KEPT = 64 * KIB;
const TIMES = 20;

let it: GuardedApp;
beforeAll(async () => {
  it = await startGuarded({
    config: `limits: { per_address: ${NO_LIMITS}, sign_in_per_user: ${NO_LIMITS} }`,
  });
});
afterAll(() => it.app.stop());

/** 56 KiB that differ from turn to turn, so that nothing is found again. */
function junk(turn: number): JsonObject {
  return {
    'org.example.junk': Array.from({ length: 56 }, (_, at) => `${turn} ${at} `.padEnd(1000, 'é"\\ ')),
  };
}

const UNKNOWN_SESSION = `m2fa_${'A'.repeat(27)}`;
const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };

/** Requests that are refused, each as large as it may be. */
const REFUSED: readonly [string, (turn: number) => HttpCall][] = [
  [
    'a wrong password',
    (turn) => ({ target: LOGIN, json: { ...passwordLogin('bob', `x${turn}`), ...junk(turn) } }),
  ],
  ['an unknown login type', (turn) => ({ target: LOGIN, json: { type: 'x', ...junk(turn) } })],
  [
    'an unknown session at login',
    (turn) => ({
      target: LOGIN,
      json: { auth: { type: TOTP, session: UNKNOWN_SESSION, token: '1' }, ...junk(turn) },
    }),
  ],
  ['no JSON', (turn) => ({ target: LOGIN, body: JSON.stringify(junk(turn)).slice(0, -1) })],
  [
    'a registration with a password',
    (turn) => ({
      target: `${V3}/register`,
      json: { auth: bobsPassword(), ...junk(turn) },
    }),
  ],
  [
    'an unknown refresh token',
    (turn) => ({ target: `${V3}/refresh`, json: { refresh_token: 'x', ...junk(turn) } }),
  ],
  ...[CHANGE_PASSWORD, DELETE_DEVICES, UPLOAD_KEYS].flatMap(
    ({ name, method, target, body }): [string, (turn: number) => HttpCall][] => [
      [
        `${name} under an unknown token`,
        (turn) => ({
          method,
          target,
          token: `unknown_${turn}`,
          json: { ...body, ...junk(turn) },
        }),
      ],
      [
        `${name} without a second factor`,
        (turn) => ({
          method,
          target,
          token: it.bobsToken,
          json: { ...body, ...junk(turn) },
        }),
      ],
    ],
  ),
  [
    'setting up a second factor',
    (turn) => ({
      target: `${V3}/account/two-factor/totp`,
      token: it.bobsToken,
      json: { name: 'phone', ...junk(turn) },
    }),
  ],
  [
    'an unknown set-up',
    (turn) => ({
      target: `${V3}/account/two-factor/totp/confirm`,
      token: it.bobsToken,
      json: { setup_id: `${turn}`, token: '123456', ...junk(turn) },
    }),
  ],
  [
    'a form on a fallback page',
    (turn) => ({
      target: `${V3}/auth/m.login.sso/fallback/web?session=${UNKNOWN_SESSION}`,
      body: new URLSearchParams({
        code: '123456',
        junk: JSON.stringify(junk(turn)).slice(0, 20_000),
      }).toString(),
      headers: FORM,
    }),
  ],
  [
    'a form on the sign-in page',
    (turn) => ({
      target: '/_2fa/login?redirectUrl=https%3A%2F%2Fclient.example.org%2F',
      body: new URLSearchParams({
        user: 'bob',
        password: JSON.stringify(junk(turn)).slice(0, 20_000),
      }).toString(),
      headers: FORM,
    }),
  ],
];

/** The same bytes where no one looks at them. */
function calm(call: HttpCall): HttpCall {
  return { ...call, method: 'POST', target: '/_matrix/federation/v1/send/1' };
}

/** What the database holds, whatever its log has written besides. */
function databaseBytes(): number {
  const database = openDatabase(`${it.app.directory}/2fa.db`, { readonly: true });
  const [pages, size] = ['page_count', 'page_size'].map((name) =>
    Number(database.pragma(name, { simple: true })),
  );
  database.close();
  return (pages ?? 0) * (size ?? 0);
}

describe('attack 122: what is refused', () => {
  test.each(REFUSED)('attack 122: %s costs little, and next to nothing is kept of it', async (_, asking) => {
    let turn = 0;
    const ask = (made: HttpCall) => it.app.call(made);
    expect((await ask(asking(turn))).status).toBeGreaterThanOrEqual(400);
    // The database grows to its bound first; what is refused then takes the place of what was.
    for (turn = 1; turn <= TIMES; turn += 1) await ask(asking(turn));
    it.app.stub.clear();
    const before = databaseBytes();
    const kept = await keptBytes(async () => {
      for (; turn <= 2 * TIMES; turn += 1) await ask(asking(turn));
      it.app.stub.clear();
    }, MOST_KEPT * TIMES);
    expect((databaseBytes() - before) / TIMES).toBeLessThan(MOST_KEPT);
    expect(kept / TIMES).toBeLessThan(MOST_KEPT);
    const extra = await extraCostMs(
      () => ask(asking(++turn)),
      () => ask(calm(asking(++turn))),
      BUDGET_MS,
    );
    expect(extra).toBeLessThan(BUDGET_MS);
  });
});
