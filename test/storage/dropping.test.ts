import { beforeEach, expect, test } from '@jest/globals';
import { DROPPED_AT_ONCE, dropInParts } from '../../src/storage/dropping.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import {
  addNotice,
  BURIED_AT_ONCE,
  buryNotices,
  dropOldDeadLetters,
} from '../../src/storage/tables/notices.ts';
import { pruneClients, registerClient } from '../../src/storage/tables/oauth_clients.ts';
import { pruneGrants } from '../../src/storage/tables/oauth_grants.ts';
import { pruneOauthSessions } from '../../src/storage/tables/oauth_sessions.ts';
import { dropOldVisits } from '../../src/storage/tables/visits.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { keepCodeOf, keepSessionOf } from './oauth_rows.ts';
import { describeOnBothStores } from './on_both.ts';
import { NOW } from './rows.ts';

/** Rows that ended long ago, numbered. */
const NUMBERS =
  'WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)';
const fillGrants = `
  INSERT INTO oauth_grants (id_hash, kind, state, client_id, scope, device_id, created_at, expires_at)
  ${NUMBERS} SELECT 'ended' || n, 'code', 'approved', 'client', 'scope', 'DEVICE', 0, ${NOW - 1} FROM numbers`;
const fillSessions = `
  INSERT INTO oauth_sessions (session_id, user_id, device_id, client_id, scope, access_hash, refresh_hash, created_at, used_at, ended_at)
  ${NUMBERS} SELECT 'ended' || n, '@a:b', 'DEVICE', 'client', 'scope', 'ended' || n, 'x', 0, 0, 1 FROM numbers`;
const fillClients = `
  INSERT INTO oauth_clients (client_id, metadata, created_at, used_at) ${NUMBERS} SELECT 'ended' || n, '{}', 0, 0 FROM numbers`;
const fillLanes = `
  INSERT INTO lanes (user_id, lane, failures, wait_until, budget, budget_at)
  ${NUMBERS} SELECT '@a:b', 'lane' || n, 1, ${2 * NOW}, 1, 0 FROM numbers`;
const fillNotices = `
  INSERT INTO notices (id, channel, event, user_id, actor, detail, happened_at, made_at, due_at)
  ${NUMBERS} SELECT 'due' || n, 'webhook', 'x', 'u', 'user', '{}', n, n, n FROM numbers`;
const ENDED = 2 * DROPPED_AT_ONCE + 200;
const LETTER = {
  ...{ event: 'totp.enabled', userId: '@a:b', actor: 'user', address: null, deviceId: null, detail: {} },
  happenedAt: 1,
};

describeOnBothStores('what has ended', (opened) => {
  let storage: Storage;
  /** How many rows were there after each commit. */
  let left: number[];

  beforeEach(() => {
    storage = opened.storage;
    left = [];
  });

  /** The store, which counts the rows of a table, or some of them, after each commit. */
  function counted(table: string, which = '1 = 1'): Pick<Storage, 'commit'> {
    const commit = async (...unit: Parameters<Storage['commit']>) => {
      const answer = await storage.commit(...unit);
      left.push(await count(table, which));
      return answer;
    };
    return { commit: commit as Storage['commit'] };
  }

  async function count(table: string, which = '1 = 1'): Promise<number> {
    const counting = `SELECT count(*) AS rows FROM ${table} WHERE ${which}`;
    const [row] = await storage.read(ask<{ rows: number }>(counting));
    return Number(row?.rows);
  }

  function keepVisits(prefix: string, many: number, expiresAt: number) {
    const keep = (state: string) =>
      `INSERT INTO visits (id_hash, browser, session_hash, turn, taken_until, sealed_state, created_at, expires_at)
       WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
       SELECT CAST(:prefix AS TEXT) || n, 'browser', NULL, 1, 0, ${state}, 0, CAST(:expiresAt AS BIGINT) FROM numbers`;
    const sql = { sqlite: keep("x'00'"), postgres: keep("'\\x00'::bytea") };
    return storage.commit([], effect(sql, { prefix, many, expiresAt }));
  }

  test('goes in parts, one commit each, and what has not ended stays', async () => {
    await keepVisits('ended', ENDED, NOW - 1);
    await keepVisits('live', 3, NOW + 60_000);
    await dropInParts(counted('visits'), [dropOldVisits()]);
    expect(left).toEqual([ENDED - DROPPED_AT_ONCE, ENDED - 2 * DROPPED_AT_ONCE, 0].map((ended) => ended + 3));
  });

  test('where nothing has ended it is one commit; the tables that are done are not asked again', async () => {
    await keepVisits('ended', DROPPED_AT_ONCE, NOW - 1);
    const units: unknown[] = [];
    const watched = {
      commit: ((accounts: readonly string[], unit: readonly unknown[]) => {
        units.push(unit.length);
        return storage.commit(accounts, unit as never);
      }) as unknown as Storage['commit'],
    };
    await dropInParts(watched, [dropOldDeadLetters(), dropOldVisits()]);
    expect(units).toEqual([2, 1]);
    await dropInParts(watched, [dropOldDeadLetters(), dropOldVisits()]);
    expect(units).toEqual([2, 1, 2]);
  });

  test('codes and sessions of OAuth go in parts, too, and those that have not ended stay', async () => {
    await keepCodeOf(storage);
    await keepSessionOf(storage);
    await storage.commit(
      [],
      [fillGrants, fillSessions].map((fill) => effect(fill, { many: ENDED })),
    );
    await dropInParts(counted('oauth_grants'), [...pruneGrants()]);
    expect(left).toEqual([ENDED - DROPPED_AT_ONCE, ENDED - 2 * DROPPED_AT_ONCE, 0].map((ended) => ended + 1));
    left = [];
    await dropInParts(counted('oauth_sessions'), [pruneOauthSessions()]);
    expect(left).toEqual([ENDED - DROPPED_AT_ONCE, ENDED - 2 * DROPPED_AT_ONCE, 0].map((ended) => ended + 1));
  });

  test('so do apps that no one uses', async () => {
    await storage.commit([], registerClient({ clientId: 'live', metadata: '{}' }, 10));
    await storage.commit([], effect(fillClients, { many: ENDED }));
    await dropInParts(counted('oauth_clients'), [pruneClients(60_000)]);
    expect(left).toEqual([ENDED - DROPPED_AT_ONCE, ENDED - 2 * DROPPED_AT_ONCE, 0].map((ended) => ended + 1));
  });

  test('attack 144: what a clock that was ahead has left ends in parts, and so do waits that it began', async () => {
    const isWrong = `wait_until > ${NOW}`;
    await storage.commit(
      [],
      [fillGrants.replace(`${NOW - 1} FROM`, `${2 * NOW} FROM`), fillLanes].map((fill) =>
        effect(fill, { many: ENDED }),
      ),
    );
    await dropInParts(counted('lanes', isWrong), endWrongTimes(60_000));
    expect(left).toEqual([ENDED - DROPPED_AT_ONCE, ENDED - 2 * DROPPED_AT_ONCE, 0]);
    expect(await count('oauth_grants')).toBe(0);
    expect(await count('lanes')).toBe(ENDED);
  });

  test('attack 191: what waits for a channel that is off is buried in parts, the longest due first', async () => {
    await storage.commit([], [addNotice('new', 'webhook', LETTER), effect(fillNotices, { many: ENDED })]);
    const bury = () => storage.commit([], buryNotices('webhook', 'off', 60_000));
    const waiting = () => count('notices', 'due_at IS NOT NULL');
    expect(await bury()).toBeDefined();
    expect(await waiting()).toBe(ENDED - BURIED_AT_ONCE + 1);
    expect(await count('notices', `due_at IS NULL AND made_at <= ${BURIED_AT_ONCE}`)).toBe(BURIED_AT_ONCE);
    while ((await bury()) !== undefined);
    expect(await waiting()).toBe(1);
  });

  test('two processes that drop at once drop all, each row once', async () => {
    await keepVisits('ended', ENDED, NOW - 1);
    const another = await opened.openAnother();
    await Promise.all([storage, another].map((each) => dropInParts(each, [dropOldVisits()])));
    expect(await count('visits')).toBe(0);
  });

  test('dead letters that are not the newest stay as long as they are few', async () => {
    await storage.commit([], [addNotice('n1', 'webhook', LETTER), buryNotices('webhook', 'x', -1)]);
    await dropInParts(storage, [dropOldDeadLetters()]);
    expect(await count('notices')).toBe(1);
  });
});
