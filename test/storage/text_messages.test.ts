import { describe, expect, test } from '@jest/globals';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { MIGRATIONS, migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { systemRandom } from '../../src/system/random.ts';
import { postgresOfSchema } from '../support/older_schema.ts';
import { postgresPrograms } from '../support/postgres.ts';

/** The schema before text messages. */
const BEFORE = 38;

const COLUMNS = `id, channel, event, user_id, actor, address, device_id, detail, happened_at, recipient, made_at,
  due_at, attempts, failure`;
const TWO_NOTICES = `INSERT INTO notices (${COLUMNS}) VALUES
  ('z', 'mail', 'totp.enabled', '@a:b', 'user', '192.0.2.1', 'PHONE', '{"n":1}', 1, 'to', 2, 3, 4, 'why'),
  ('a', 'webhook', 'totp.enabled', '', 'operator', NULL, NULL, '{}', 5, NULL, 6, NULL, 0, NULL)`;
const KEPT = [
  {
    ...{ id: 'z', channel: 'mail', event: 'totp.enabled', user_id: '@a:b', actor: 'user' },
    ...{ address: '192.0.2.1', device_id: 'PHONE', detail: '{"n":1}', happened_at: 1, recipient: 'to' },
    ...{ made_at: 2, due_at: 3, attempts: 4, failure: 'why' },
  },
  {
    ...{ id: 'a', channel: 'webhook', event: 'totp.enabled', user_id: '', actor: 'operator' },
    ...{ address: null, device_id: null, detail: '{}', happened_at: 5, recipient: null },
    ...{ made_at: 6, due_at: null, attempts: 0, failure: null },
  },
];
const A_TEXT_MESSAGE = (id: string, channel: string) =>
  `INSERT INTO notices (${COLUMNS}) VALUES ('${id}', '${channel}', 'x', 'u', 'user', NULL, NULL, '{}', 1, NULL, 1, 1, 0, NULL)`;
const INDEXES = ['dead_notices_by_age', 'notices_by_due'];

describe('notices that wait while text messages come', () => {
  test('stay as they are on SQLite, with the indexes, and text messages are taken beside them', () => {
    const database = openDatabase(':memory:');
    migrate(database, MIGRATIONS.slice(0, BEFORE));
    database.exec(TWO_NOTICES);
    expect(() => database.exec(A_TEXT_MESSAGE('s', 'sms'))).toThrow('CHECK');
    migrate(database);
    expect(database.prepare(`SELECT ${COLUMNS} FROM notices ORDER BY rowid`).all()).toEqual(KEPT);
    const named =
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'notices' AND sql IS NOT NULL";
    expect(database.prepare(`${named} ORDER BY name`).pluck().all()).toEqual(INDEXES);
    database.exec(A_TEXT_MESSAGE('s', 'sms'));
    expect(() => database.exec(A_TEXT_MESSAGE('p', 'pigeon'))).toThrow('CHECK');
    expect(() => database.exec(A_TEXT_MESSAGE('s', 'sms'))).toThrow('UNIQUE');
    database.close();
  });

  const onPostgres = postgresPrograms() === undefined ? test.skip : test;
  onPostgres(
    'stay as they are on PostgreSQL, with the indexes, and text messages are taken beside them',
    async () => {
      const made = await postgresOfSchema(BEFORE);
      await made.administer(TWO_NOTICES);
      await expect(made.administer(A_TEXT_MESSAGE('s', 'sms'))).rejects.toThrow('check constraint');
      await (await openPostgresStorage({ ...made.storage, random: systemRandom })).close();
      const rows = (text: string) => made.asOther(async (client) => (await client.query(text)).rows);
      const numbers = ['happened_at', 'made_at', 'due_at', 'attempts']
        .map((name) => `${name}::int`)
        .join(', ');
      const texts = 'id, channel, event, user_id, actor, address, device_id, detail, recipient, failure';
      expect(await rows(`SELECT ${texts}, ${numbers} FROM notices ORDER BY rowid`)).toEqual(KEPT);
      const indexes = await rows(
        `SELECT indexname FROM pg_indexes WHERE tablename = 'notices' AND indexname NOT LIKE '%pkey' ORDER BY indexname`,
      );
      expect(indexes.map(({ indexname }) => indexname)).toEqual(INDEXES);
      await made.administer(A_TEXT_MESSAGE('s', 'sms'));
      await expect(made.administer(A_TEXT_MESSAGE('p', 'pigeon'))).rejects.toThrow('check constraint');
      await expect(made.administer(A_TEXT_MESSAGE('s', 'sms'))).rejects.toThrow('duplicate key');
      await made.drop();
    },
  );
});
