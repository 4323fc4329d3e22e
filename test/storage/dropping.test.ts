import { beforeEach, expect, test } from '@jest/globals';
import { DROPPED_AT_ONCE, dropInParts } from '../../src/storage/dropping.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { addNotice, buryNotices, dropOldDeadLetters } from '../../src/storage/tables/notices.ts';
import { pruneClients, registerClient } from '../../src/storage/tables/oauth_clients.ts';
import { pruneGrants } from '../../src/storage/tables/oauth_grants.ts';
import { pruneOauthSessions } from '../../src/storage/tables/oauth_sessions.ts';
import { dropOldVisits } from '../../src/storage/tables/visits.ts';
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

  /** The store, which counts the rows of a table after each commit. */
  function counted(table: string): Pick<Storage, 'commit'> {
    const commit = async (...unit: Parameters<Storage['commit']>) => {
      const answer = await storage.commit(...unit);
      left.push(await count(table));
      return answer;
    };
    return { commit: commit as Storage['commit'] };
  }

  async function count(table: string): Promise<number> {
    const [row] = await storage.read(ask<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`));
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
