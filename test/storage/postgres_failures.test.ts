import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CannotOpen, StoreUnavailable } from '../../src/storage/errors.ts';
import { poolConfig } from '../../src/storage/postgres/address.ts';
import { Connections } from '../../src/storage/postgres/connections.ts';
import { migrate, schemaVersion } from '../../src/storage/postgres/migrate.ts';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { MIGRATIONS } from '../../src/storage/sqlite/migrations/migrate.ts';
import { ask, decide, effect, type Sql } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemRandom } from '../../src/system/random.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

/** Less than the first migration takes with a pause before each of its tables. */
const SHORT_MS = 60;
const ALICE = '@alice:hs.example';
const BOB = '@bob:hs.example';

/** What these statements do in SQLite is not a matter. */
const onPostgres = (postgres: string): Sql => ({ sqlite: 'SELECT 1', postgres });

const put = (key: string) =>
  decide('INSERT INTO leases (key, holder, until_at) VALUES (:key, :key, 0) ON CONFLICT DO NOTHING', { key });
const keys = ask<{ key: string }>('SELECT key FROM leases ORDER BY key');

suite('PostgreSQL that does not do as it is told', () => {
  let database: TestDatabase;
  let storage: Storage;

  const open = (at = database.url) =>
    openPostgresStorage({ url: at, tls: 'disable', pool: 10, random: systemRandom });

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    storage = await open();
  });

  afterEach(async () => {
    await storage.close();
    await database.drop();
  });

  const stored = async () => (await storage.read(keys)).map(({ key }) => key);

  /** Ends all connections of the storage, as a primary that goes away does. */
  async function cutConnections(): Promise<void> {
    await database.administer(
      'SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  }

  test('a migration may take longer than a statement of a request: cut off it would begin again for ever', async () => {
    const empty = await TestDatabase.make(programs);
    await empty.administer(`CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.02); END $$;
      CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION slow()`);
    const connections = new Connections({ ...poolConfig(empty.storage), query_timeout: SHORT_MS });
    const tooLong = connections.use((client) => client.query('SELECT pg_sleep(60)'));
    await expect(tooLong).rejects.toThrow('Query read timeout');
    await connections.inTransaction(migrate);
    expect(await connections.use(schemaVersion)).toBe(MIGRATIONS.length);
    await connections.end();
    await empty.drop();
  });

  test('a connection that broke while no one used it is replaced', async () => {
    await storage.commit([BOB], put('a'));
    await cutConnections();
    await storage.commit([BOB], put('b'));
    await cutConnections();
    expect(await stored()).toEqual(['a', 'b']);
  });

  test('cut in the middle of a unit: it is not accepted, and nothing of it is written', async () => {
    const cut = effect(onPostgres('SELECT pg_terminate_backend(pg_backend_pid())'));
    await expect(storage.commit([BOB], [put('a'), cut, put('b')])).rejects.toThrow(StoreUnavailable);
    expect(await stored()).toEqual([]);
    await storage.commit([BOB], put('c'));
    expect(await stored()).toEqual(['c']);
  });

  test('F-4: a connection on which nothing can be written any more is not used again', async () => {
    const other = await openPostgresStorage({
      url: database.url,
      tls: 'disable',
      pool: 1,
      random: systemRandom,
    });
    const process = ask<{ pid: number }>(onPostgres('SELECT pg_backend_pid()::int AS pid'));
    const before = await other.read(process);
    const readOnly = effect(onPostgres('SET TRANSACTION READ ONLY'));
    await expect(other.commit([], [readOnly, put('a')])).rejects.toThrow(StoreUnavailable);
    expect(await other.read(process)).not.toEqual(before);
    await other.commit([], put('b'));
    expect(await stored()).toEqual(['b']);
    await other.close();
  });

  test('cut while it commits: it is not accepted, and not run again', async () => {
    await database.administer(`
      CREATE TABLE commits (at BIGINT);
      CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION cut();
      CREATE SEQUENCE runs`);
    const unit = [
      put('a'),
      ask(onPostgres("SELECT nextval('runs')")),
      effect('INSERT INTO commits VALUES (1)'),
    ];
    await expect(storage.commit([BOB], unit)).rejects.toThrow(StoreUnavailable);
    const { rows } = await database.asOther((client) =>
      client.query('SELECT last_value::int AS runs FROM runs'),
    );
    expect(rows).toEqual([{ runs: 1 }]);
    expect(await stored()).toEqual([]);
  });

  test('a unit that collides with others is run again until it is written', async () => {
    await database.administer('CREATE SEQUENCE runs');
    const collide = ask(
      onPostgres(`SELECT CASE WHEN nextval('runs') < 4 THEN
        (SELECT 1 FROM (SELECT pg_advisory_xact_lock(7)) AS locked) END`),
    );
    await database.asOther(async (other) => {
      await other.query('BEGIN; SELECT pg_advisory_xact_lock(7)');
      const answer = await storage.commit([BOB], [put('a'), collide]);
      expect(answer[0]).toEqual({});
      await other.query('ROLLBACK');
    });
  });

  test('300 mixed units of two users over two pools: all are written, none is in a circle with another', async () => {
    const another = await open();
    const rename = (user: string, name: string) =>
      effect('UPDATE accounts SET folded_localpart = :name WHERE user_id = :user', { user, name });
    const units = Array.from({ length: 300 }, (_, turn) => {
      const users = turn % 3 === 0 ? [ALICE, BOB] : [BOB, ALICE];
      const writes = (turn % 2 === 0 ? users : users.toReversed()).map((user) =>
        rename(user, `name ${turn}`),
      );
      return (turn % 2 === 0 ? storage : another).commit(users, writes);
    });
    expect(await Promise.all(units)).toEqual(units.map(() => [1, 1]));
    const { rows } = await database.asOther((client) =>
      client.query('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()'),
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
    await another.close();
  });

  test('two first starts at once make one schema', async () => {
    const empty = await TestDatabase.make(programs);
    const both = await Promise.all([open(empty.url), open(empty.url)]);
    const identities = await Promise.all(
      both.map((each) => each.read(ask<{ id: string }>('SELECT id FROM database_identity'))),
    );
    expect(identities[0]).toHaveLength(1);
    expect(identities[1]).toEqual(identities[0]);
    await Promise.all(both.map((each) => each.close()));
    await empty.drop();
  });

  test('the time comes from the database where no test gives one', async () => {
    const [row] = await storage.read(ask<{ time: number }>('SELECT :now AS time'));
    expect(Math.abs((row?.time ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('no such database, and a server that is away, are told apart', async () => {
    const missing = database.url.replace(/\/test_\w+/, '/no_such_database');
    await expect(open(missing)).rejects.toThrow(CannotOpen);
    await expect(open('postgres://tests@127.0.0.1:1/away')).rejects.toThrow(StoreUnavailable);
  });
});
