/**
 * How the rows of every statement are found: nothing that a request or a round of housekeeping asks reads a whole table
 * that grows. All statements of `src/storage/tables/` are looked at in SQLite, and in PostgreSQL, which has the same
 * indexes, those that the requests of the bench, a start and housekeeping make.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from 'better-sqlite3';
import { Client } from 'pg';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { USERS } from '../../tools/ways/ways.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { countWays } from '../support/counted_ways.ts';
import { makePostgresDatabase, makeSqliteDatabase } from '../support/newest_schema.ts';
import { dropDatabase, postgresPrograms, postgresServer } from '../support/postgres.ts';
import { scannedByPostgres, scannedBySqlite } from '../support/query_plans.ts';
import { tableStatements } from '../support/table_statements.ts';

/** Why a table has few rows, however many users there are. */
const FEW_ROWS = [
  ...['holds', 'sessions', 'session_turns'], // uia.max_sessions
  'visits', // a bound of their own (tables/visits.ts)
  ...['processes', 'probes', 'schema_info', 'database_identity'],
  ...['audit_chains', 'audit_keys'], // one for each start, for each key
  'audit_prunings', // one
  'oauth_clients', // oauth.max_clients
  'oauth_keys', // one
  'emergency_codes', // given out by hand, for hours
];

/** What is asked at a start, by a command, for metrics, or once an hour, and may take its time. */
const RARE: readonly RegExp[] = [
  /^SELECT 1 AS found FROM authenticators LIMIT 1$/, // one row, whichever comes first
  /^SELECT count\(CASE WHEN number <= :until .* FROM audit WHERE chain IS NULL$/, // audit verify
  /^SELECT DISTINCT user_id AS "userId" FROM authenticators ORDER BY user_id$/, // user list
  /^SELECT count\(DISTINCT user_id\) AS locked FROM lanes WHERE failures >= :shutAt$/, // metrics
  /^SELECT count\(DISTINCT user_id\) AS count FROM authenticators$/, // restore
  /^SELECT pepper_key_id AS "keyId" FROM recovery_sets|^SELECT DISTINCT pepper_key_id/, // keys
  /FROM recovery_sets WHERE pepper_key_id = :keyId\) AS sets/, // keys retire
  /substr\(sealed_seed, 1, 1\) = :header/, // keys retire
  /^SELECT id, user_id AS "userId", sealed_seed AS "sealedSeed" FROM authenticators$/, // check-config
  /^UPDATE (page_sessions SET ends_at = min|passed_login_tokens SET ended = 1$|accounts SET version = version \+ 1$)/, // restore
  /^UPDATE authenticators SET last_step = :step WHERE kind = 'totp'/, // restore
];

/** Made of parts that only a caller has. */
const UNMADE = ['audit.ts: insertEntries', 'audit.ts: insertion', 'audit_chains.ts: advanceWithEntries'];
const OF_PARTS = [/FROM undefined/, /\bx\b/];

function isGrowing(table: string): boolean {
  return !FEW_ROWS.includes(table);
}

function plain(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim();
}

describe('in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'query-plans-'));
  let database: Database;

  beforeAll(async () => {
    await makeSqliteDatabase(join(folder, '2fa.db'));
    database = openDatabase(join(folder, '2fa.db'));
  });

  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  test('no statement of a table reads a whole table that grows', async () => {
    const { sql, unmade } = await tableStatements();
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    const whole = sql
      .map(plain)
      .filter((text) => ![...RARE, ...OF_PARTS].some((kind) => kind.test(text)))
      .map((text) => ({
        text,
        tables: scannedBySqlite(database, text).filter((table) => tables.includes(table) && isGrowing(table)),
      }));
    expect(whole.filter((each) => each.tables.length > 0)).toEqual([]);
    expect(whole.length).toBeGreaterThan(250);
    expect(unmade).toEqual(UNMADE);
  });

  test('what reads a whole table is found', () => {
    expect(scannedBySqlite(database, 'DELETE FROM lanes WHERE failures = :failures')).toEqual(['lanes']);
    expect(scannedBySqlite(database, 'DELETE FROM lanes WHERE wait_until > :now')).toEqual([]);
  });
});

const programs = postgresPrograms();
(programs === undefined ? describe.skip : describe)('in PostgreSQL', () => {
  const asked = new Set<string>();
  const { query } = Client.prototype;
  let app: TestApp;
  let client: Client;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const server = await postgresServer(programs ?? '');
    const url = await makePostgresDatabase(server);
    drop = () => dropDatabase(server, url);
    Client.prototype.query = function watched(this: Client, ...given: unknown[]) {
      const [first] = given as [string | { readonly text: string }];
      asked.add(plain(typeof first === 'string' ? first : first.text));
      return Reflect.apply(query, this, given);
    } as typeof query;
    app = await startApp({ users: USERS, storage: `{ type: postgres, url: "${url}", tls: disable }` });
    await countWays(app);
    await app.proxy.remarkOnFactors();
    await app.proxy.keepHouse();
    Client.prototype.query = query;
    client = new Client({ connectionString: url });
    await client.connect();
  });

  afterAll(async () => {
    Client.prototype.query = query;
    await client.end();
    await app.stop();
    await drop();
  });

  test('no statement of a request, of a start or of housekeeping reads a whole table that grows', async () => {
    const looked = [...asked].filter((text) => /^(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(text));
    const whole: { readonly text: string; readonly tables: string[] }[] = [];
    for (const text of looked.filter((each) => !RARE.some((kind) => kind.test(each)))) {
      const tables = (await scannedByPostgres(client, text)).filter(isGrowing);
      if (tables.length > 0) whole.push({ text, tables });
    }
    expect(whole).toEqual([]);
    expect(looked.length).toBeGreaterThan(90);
  });

  test('what reads a whole table is found', async () => {
    expect(await scannedByPostgres(client, 'DELETE FROM lanes WHERE failures = $1')).toEqual(['lanes']);
    expect(await scannedByPostgres(client, 'DELETE FROM lanes WHERE wait_until > $1')).toEqual([]);
  });
});
