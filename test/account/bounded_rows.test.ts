import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import { unprovenEvents } from '../../src/audit/events.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createProxy, type MatrixProxy } from '../../src/server/proxy.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';
import { chainOf } from '../support/entries.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import {
  type AccountApp,
  dorasPassword,
  RECOVERY,
  STATE,
  startAccount,
  TOTP,
  TOTP_API,
  type TurnedOn,
} from './account.ts';

const NAMES = '/_matrix/client/unstable/org.matrix.2fa/authenticators';
const UNPROVEN_EVENTS = unprovenEvents(['totp']);
const HISTORY = '/_matrix/client/unstable/org.matrix.2fa/history';
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';

let account: AccountApp;
let on: TurnedOn;

beforeEach(async () => {
  account = await startAccount();
  on = await account.turnOn();
});
afterEach(() => account.app.stop());

function rename(url = account.app.url): Promise<HttpAnswer> {
  const target = `${NAMES}/${on.authenticatorId}`;
  return call(url, { method: 'PUT', target, token: account.dora, json: { name: 'phone' } });
}

async function events(): Promise<string[]> {
  const { json } = await account.ask('GET', HISTORY, account.dora);
  return (json.events as { event: string }[]).map(({ event }) => event);
}

/** So many of each of what happens without a factor. */
async function putOnRecord(times: number): Promise<void> {
  const { storage, clock } = account.app;
  const audit = new Audit({ storage, chain: chainOf(storage), clock });
  for (const event of UNPROVEN_EVENTS) {
    const entry = { userId: '@dora:localhost', event };
    await Promise.all(Array.from({ length: times }, () => audit.record(entry)));
  }
}

/** All rows of the database. */
function rows(): number {
  const database = openDatabase(join(account.app.directory, '2fa.db'), { readonly: true });
  try {
    const tables = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all();
    const counts = tables.map(({ name }) => database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get());
    return counts.map(Number).reduce((sum, count) => sum + count, 0);
  } finally {
    database.close();
  }
}

describe('attack 170: what an access token alone can write is bounded', () => {
  test('ten renames an hour, then 429 with the time to wait; an unknown one stays 404', async () => {
    for (let count = 0; count < 10; count += 1) expect(await rename()).toMatchObject({ status: 200 });
    account.app.clock.advance(20 * MINUTE);
    const refused = await rename();
    expect(refused).toMatchObject({
      status: 429,
      json: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 40 * MINUTE },
    });
    expect(refused.headers['retry-after']).toBe('2400');
    const unknown = await account.ask('PUT', `${NAMES}/unknown`, account.dora, { name: 'x' });
    expect(unknown.status).toBe(404);
    account.app.clock.advance(40 * MINUTE);
    expect(await rename()).toMatchObject({ status: 200 });
  });

  test('ten in all over two processes at once, and after a restart', async () => {
    const other: MatrixProxy = await createProxy(loadConfig(join(account.app.directory, 'config.yaml'), {}), {
      clock: account.app.clock,
    });
    const urls = [account.app.url, await other.listen()];
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => rename(urls[index % 2])));
    await other.close(0);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
    await account.app.shutDown();
    await account.app.start();
    expect(await rename()).toMatchObject({ status: 429 });
  });

  test('a clock that was ahead locks no one out', async () => {
    account.app.clock.advance(48 * HOUR);
    for (let count = 0; count < 10; count += 1) await rename();
    account.app.clock.advance(-48 * HOUR);
    expect(await rename()).toMatchObject({ status: 200 });
  });

  test('the history still shows what was done with a factor after a flood of what needs none', async () => {
    const auth = { type: RECOVERY, token: on.recoveryCodes[0] ?? '' };
    const begun = await account.ask('POST', TOTP_API, account.dora, { name: 'tablet', auth });
    expect(begun.status).toBe(401);
    expect(await events()).toContain('recovery.used');
    await putOnRecord(300);
    const shown = await events();
    expect(shown).toContain('recovery.used');
    expect(shown).toContain('totp.enabled');
    for (const event of UNPROVEN_EVENTS) expect(shown.filter((each) => each === event)).toHaveLength(11);
  });

  test('10,000 requests leave no more rows than 1,500', async () => {
    const flood = async (ofEachEvent: number) => {
      await putOnRecord(ofEachEvent);
      account.app.clock.advance(HOUR);
      // A round of the timer may be under way, which has looked at its limits before.
      await account.app.proxy.keepHouse();
      await account.app.proxy.keepHouse();
      return rows();
    };
    const after1500 = await flood(300);
    expect(await flood(1700)).toBe(after1500);
  });

  /** Requests that a stolen token makes; none has a right factor. */
  const requests: readonly (readonly [string, (count: number) => Promise<unknown>])[] = [
    ['renaming', () => rename()],
    ['the state', () => account.ask('GET', STATE, account.dora)],
    ['the history', () => account.ask('GET', HISTORY, account.dora)],
    ['beginning a set-up', () => account.ask('POST', TOTP_API, account.dora, { name: 'x' })],
    [
      'a set-up of another name each time',
      (count) => account.ask('POST', TOTP_API, account.dora, { name: `x${count}` }),
    ],
    [
      'other devices each time',
      (count) => account.app.post(DELETE_DEVICES, { devices: [`D${count}`] }, account.dora),
    ],
    ['a wrong code', () => wrong(TOTP, '000000')],
    ['a wrong recovery code', () => wrong(RECOVERY, '0000-0000-0000')],
    [
      'the wrong password',
      () => account.app.post(TOTP_API, { auth: { ...dorasPassword(), password: 'x' } }, account.dora),
    ],
  ];

  function wrong(type: string, token: string): Promise<HttpAnswer> {
    return account.app.post(TOTP_API, { auth: { type, token } }, account.dora);
  }

  test.each(requests)('%s: rows do not grow without an end', async (_name, request) => {
    // So many that every bound is reached, without as many requests.
    await putOnRecord(200);
    const flood = async (from: number) => {
      for (let count = from; count < from + 60; count += 1) {
        account.app.clock.advance(10 * MINUTE);
        await request(count);
      }
      await account.app.proxy.keepHouse();
      return rows();
    };
    const after60 = await flood(0);
    expect((await flood(60)) - after60).toBeLessThanOrEqual(3);
  });
});
