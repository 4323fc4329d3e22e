import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MIGRATIONS, migrate, READABLE_FROM } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { decide, effect } from '../../src/storage/statement.ts';
import { enter } from '../support/entries.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { describeOnOperated, OperatedDatabase } from './operated_database.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const NEWEST = MIGRATIONS.length;

describeOnOperated('migrate', (at) => {
  const type = (...words: string[]) => at.database.line.type(...words);

  /** The database says that it is of this version, and which programs can work on it. */
  const pretend = async (version: number, readableFrom: number | null) => {
    await at.database.with((storage) =>
      storage.commit(
        [],
        effect('UPDATE schema_info SET version = :version, readable_from = :readableFrom', {
          version,
          readableFrom,
        }),
      ),
    );
    if (at.database.storage.type === 'sqlite') {
      const database = openDatabase(at.database.storage.path);
      database.pragma(`user_version = ${version}`);
      database.close();
    }
  };

  test('makes the database, says so, and has nothing to do after that', async () => {
    const dry = await type('migrate', '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringContaining(`from schema version 0 to ${NEWEST}; nothing`),
    });
    expect(await type('user', 'list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no database'),
    });
    expect(await type('migrate')).toMatchObject({
      code: 0,
      out: expect.stringContaining(`from schema version 0 to ${NEWEST}.`),
    });
    expect(await type('migrate')).toMatchObject({
      code: 0,
      out: expect.stringContaining(`up to date: schema version ${NEWEST}`),
    });
  });

  test('storage.migrate: never leaves that to it', async () => {
    at.database.configure(at.database.storageText.replace(' }', ', migrate: never }'));
    const refused = { code: 2, out: '', err: expect.stringMatching(/schema version 0, .* run migrate/) };
    expect(await type('serve')).toEqual(refused);
    await type('migrate');
    expect(await type('user', 'list')).toMatchObject({ code: 0 });
  });

  test('a newer schema is worked on where it says that this version can', async () => {
    await at.database.enrol(BOB);
    await pretend(NEWEST + 2, NEWEST);
    expect(await type('user', 'list')).toMatchObject({ code: 0, out: expect.stringContaining(BOB) });
    expect(await type('migrate')).toMatchObject({ code: 0, out: expect.stringContaining(`${NEWEST + 2}`) });
    expect((await type('doctor', '--only', 'schema,keys', '--json')).out).toContain('runs beside this one');
    expect(await type('keys', 'retire', 'any')).toMatchObject({
      code: 1,
      err: expect.stringContaining('take keys retire of the newer version'),
    });
    await at.database.enrol(CAROL);
    expect(await at.database.enrolled()).toEqual([BOB, CAROL]);
  });

  test.each([
    ['says that this version cannot', NEWEST + 1],
    ['says nothing', null],
  ])('and refused with exit code 2 where it %s', async (_what, readableFrom) => {
    await at.database.enrol(BOB);
    await pretend(NEWEST + 1, readableFrom);
    const refused = { code: 2, out: '', err: expect.stringContaining(`schema version ${NEWEST + 1}`) };
    expect(await type('user', 'list')).toEqual(refused);
    expect(await type('serve')).toEqual(refused);
    expect(await type('migrate')).toEqual(refused);
  });
});

test('a database that says nothing of its readers yet is told of them by the next migration', async () => {
  const database = openDatabase(':memory:');
  migrate(database, MIGRATIONS.slice(0, NEWEST - 1));
  migrate(database);
  expect(database.prepare('SELECT * FROM schema_info').all()).toEqual([
    { version: NEWEST, readable_from: READABLE_FROM },
  ]);
  expect(READABLE_FROM).toBeLessThanOrEqual(NEWEST);
});

const SEALED = Buffer.from([0, 255, 1, 128]);

function requestRow(id: string, state: string) {
  return {
    ...{ id, user_id: BOB, state, begun_at: 1, wait_ms: 2, counted_ms: 3, counted_at: 4, vouched: 1 },
    ...{ time_zone: 'Europe/Berlin', absences: '[{"from":"2026-12-01","to":"2026-12-05"}]' },
    ...{ salt: SEALED, pepper_key_id: 'k', claim_hash: 'hash', claim_tag: 5, told_at: 6, told_soon_at: 7 },
    ...{ opened_at: 8, closes_at: 9, ended_at: 10, ended_by: 'link', ended_who: 'Ada', reason: 'Straße 🙂' },
    ...{ begun_from: '203.0.113.7', use_told_at: 11 },
  };
}

/** Rows of each table of account recovery, and of the outbox, with each column; of the requests one runs and one has ended. */
const RECOVERY_ROWS = {
  recovery_requests: [requestRow('r2', 'cancelled'), requestRow('r1', 'waiting')],
  recovery_notices: ['mail', 'matrix', 'sms'].map((channel) => ({
    ...{ id: `to ${channel}`, request_id: 'r1', user_id: BOB, channel, role: 'owner' },
    ...{ sealed_address: SEALED, cancel_hash: `link ${channel}` },
  })),
  recovery_votes: [
    {
      ...{ id: 'v1', request_id: 'r1', user_id: BOB, voter: CAROL, link_hash: 'vote', sealed_link: SEALED },
      ...{ vote: 'yes', how: 'seen', voted_at: 12 },
    },
  ],
  recovery_contacts: [
    {
      ...{ user_id: BOB, voters: `[{"userId":"${CAROL}","namedTs":1}]`, contact_kind: 'mail' },
      ...{ sealed_contact: SEALED, contact_confirmed_at: 13, confirm_hash: 'confirm', confirm_until: 14 },
      ...{ time_zone: 'Asia/Tokyo', absences: '[]', changed_at: 15 },
    },
  ],
  notices: ['mail', 'matrix', 'webhook', 'sms'].map((channel) => ({
    ...{ id: `n ${channel}`, channel, event: 'recovery_request.begun', user_id: BOB, actor: 'system' },
    ...{
      address: '203.0.113.7',
      device_id: 'PHONE',
      detail: '{}',
      happened_at: 16,
      recipient: `to ${channel}`,
    },
    ...{ made_at: 17, due_at: 18, attempts: 19, failure: 'the gateway answered 503' },
  })),
};

function insert(table: string, row: Readonly<Record<string, string | number | Buffer>>) {
  const columns = Object.keys(row);
  const values = columns.map((column) => `:${column}`);
  return effect(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`, row);
}

const onBoth = postgresPrograms() === undefined ? describe.skip : describe;

onBoth('migrate --from --to', () => {
  let source: OperatedDatabase;
  let target: OperatedDatabase;
  let made: TestDatabase;

  beforeEach(async () => {
    source = new OperatedDatabase();
    made = await TestDatabase.make(postgresPrograms());
    target = new OperatedDatabase(made.storage);
    await source.enrol(BOB);
    await source.with((storage) =>
      enter(storage, { at: 7, userId: BOB, event: 'totp.used', detail: { n: 1.5 } }),
    );
  });

  afterEach(async () => {
    source.line.remove();
    target.line.remove();
    await made.drop();
  });

  const move = (from = source.address, to = target.address, ...words: string[]) =>
    source.line.type('migrate', '--from', from, '--to', to, ...words);

  test('all rows are there, in their order; again after a change, and back', async () => {
    const outcome = await move();
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).toMatch(/^accounts: 1 rows\n(\w+: \d+ rows\n)+Copied /);
    expect(await target.content()).toEqual(await source.content());

    await source.enrol(CAROL);
    expect(await move()).toMatchObject({ code: 0 });
    expect(await target.content()).toEqual(await source.content());

    const back = join(source.line.folder, 'back.db');
    expect(await move(target.address, `sqlite:${back}`)).toMatchObject({ code: 0 });
    const returned = new OperatedDatabase({ type: 'sqlite', path: back });
    expect(await returned.content()).toEqual(await source.content());
    returned.line.remove();
  });

  test('the copy is used on: numbers go on where they were', async () => {
    await move();
    await target.with((storage) => enter(storage, { at: 8, userId: BOB, event: 'totp.used' }));
    expect(await target.with(({ audit }) => audit.list({ limit: 1 }))).toMatchObject([{ at: 8 }]);
  });

  test('attack 372: a copy that was used since is not overwritten, and what was copied can be, by it', async () => {
    await move();
    await source.enrol(CAROL);
    await target.with((storage) => enter(storage, { at: 8, userId: BOB, event: 'totp.used' }));
    const before = await target.content();
    for (const words of [[], ['--dry-run']]) {
      expect(await move(source.address, target.address, ...words)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('was used since it was copied'),
      });
    }
    expect(await target.content()).toEqual(before);
    expect(await move(target.address, source.address)).toMatchObject({ code: 0 });
    expect(await source.content()).toEqual(before);
  });

  test('all of account recovery: requests, whom they tell, votes and contacts, with each column', async () => {
    const rows = Object.entries(RECOVERY_ROWS).flatMap(([table, each]) =>
      each.map((row) => insert(table, row)),
    );
    await source.with((storage) => storage.commit([], rows));
    const outcome = await move();
    expect(outcome).toMatchObject({ code: 0, err: '' });
    const copy = await target.content();
    for (const [table, each] of Object.entries(RECOVERY_ROWS)) {
      expect(outcome.out).toContain(`${table}: ${each.length} rows`);
      expect(copy[table]).toEqual(each);
    }
    expect(copy).toEqual(await source.content());
    const second = insert('recovery_requests', { ...requestRow('r3', 'open'), claim_hash: 'other' });
    await expect(target.with((storage) => storage.commit([], second))).rejects.toThrow();
  });

  test('many rows, more than are read at once', async () => {
    await source.with((storage) =>
      storage.commit(
        [],
        Array.from({ length: 4_500 }, (_, row) =>
          decide('INSERT INTO leases (key, holder, until_at) VALUES (:key, :key, :row)', {
            key: `lease ${row}`,
            row,
          }),
        ),
      ),
    );
    expect(await move()).toMatchObject({ code: 0, out: expect.stringContaining('leases: 4500 rows') });
    expect(await target.content()).toEqual(await source.content());
  });

  test('--dry-run writes nothing, and makes no file', async () => {
    const dry = await move(source.address, target.address, '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was written') });
    expect(await target.line.type('user', 'list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no database'),
    });
    const file = join(source.line.folder, 'new.db');
    expect(await move(source.address, `sqlite:${file}`, '--dry-run')).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(false);
  });

  test('another database in its place is refused, and stays', async () => {
    await target.enrol(CAROL);
    const before = await target.content();
    expect(await move()).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('another database'),
    });
    expect(await target.content()).toEqual(before);
  });

  test.each(['source', 'target'])(
    'a process that serves on the %s is waited for by the operator',
    async (which) => {
      await move();
      await (which === 'source' ? source : target).announce();
      expect(await move()).toMatchObject({
        code: 1,
        err: expect.stringContaining('in use by a running serve'),
      });
    },
  );

  test('a source of an older version is to be brought up to date first', async () => {
    if (source.storage.type !== 'sqlite') throw new Error('the source is a file');
    for (const end of ['', '-wal', '-shm']) rmSync(`${source.storage.path}${end}`, { force: true });
    const old = openDatabase(source.storage.path);
    migrate(old, MIGRATIONS.slice(0, 15));
    old.close();
    expect(await move()).toMatchObject({ code: 1, err: expect.stringContaining('run migrate first') });
  });

  test('a connection that is lost on the way leaves the target as it was', async () => {
    await move();
    const before = await target.content();
    await source.enrol(CAROL);
    await made.administer(`CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()`);
    expect(await move()).toMatchObject({ code: 1 });
    expect(await target.content()).toEqual(before);
    await made.administer('DROP TRIGGER cut ON audit');
    expect(await move()).toMatchObject({ code: 0 });
    expect(await target.content()).toEqual(await source.content());
  });

  test.each([
    ['one of the two alone', ['--from', 'sqlite:a'], /belong together/],
    [
      'an address of another kind',
      ['--from', 'mysql://a/b', '--to', 'sqlite:a'],
      /--from must be a URL .* or sqlite:PATH/,
    ],
    [
      'a password for others to read',
      ['--from', 'sqlite:a', '--to', 'postgres://me:secret@db/a'],
      /--to must not hold the password/,
    ],
    ['the same twice', ['--from', 'sqlite:a', '--to', 'sqlite:./a'], /the same database/],
  ])('%s is wrong usage', async (_what, words, complaint) => {
    expect(await source.line.type('migrate', ...words)).toMatchObject({
      code: 2,
      err: expect.stringMatching(complaint),
    });
  });

  test('a source that is not there is not made', async () => {
    const path = join(source.line.folder, 'none.db');
    expect(await move(`sqlite:${path}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no database'),
    });
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, 'text'.repeat(500));
    expect(await move(`sqlite:${path}`)).toMatchObject({ code: 1, err: expect.stringContaining('none.db') });
  });
});
