import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { MIGRATIONS, migrate, READABLE_FROM } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { digestOf, RELEASES, type Release } from '../releases/release.ts';

/** From this schema version on a database says which programs can work on it. */
const SAYS_READABLE_FROM = 20;

test('each version in CHANGELOG.md is kept in test/releases/, and no other', () => {
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const released = [...changelog.matchAll(/^## \[(\d[^\]]*)\]/gm)].map(([, version = '']) => version);
  expect(RELEASES.map(({ version }) => version).toSorted()).toEqual(released.toSorted());
});

test.each(RELEASES)('the migrations of $version are as it was released', ({ schema, migrations }) => {
  expect(MIGRATIONS.slice(0, schema).map(digestOf)).toEqual(migrations);
});

test.each(RELEASES)('the database of $version has the tables that these migrations make', (release) => {
  const [made, kept] = [openDatabase(':memory:'), openDatabase(':memory:')];
  migrate(made, MIGRATIONS.slice(0, release.schema));
  kept.exec(readFileSync(`test/releases/${release.version}/2fa.sql`, 'utf8'));
  const tables = 'SELECT name, sql FROM sqlite_schema ORDER BY type, name';
  expect(kept.prepare(tables).all()).toEqual(made.prepare(tables).all());
  expect(kept.pragma('user_version')).toEqual(made.pragma('user_version'));
});

/** Whether a release can work on a database that needs programs of the schema `readableFrom`. */
function canWorkOn(readableFrom: number, { schema }: Pick<Release, 'schema'>): boolean {
  return schema < SAYS_READABLE_FROM || readableFrom <= schema;
}

test('the newest release can serve beside this version, unless it is older than schema_info', () => {
  expect(canWorkOn(READABLE_FROM, newest())).toBe(true);
  expect(canWorkOn(SAYS_READABLE_FROM + 1, { schema: SAYS_READABLE_FROM })).toBe(false);
  expect(canWorkOn(SAYS_READABLE_FROM, { schema: SAYS_READABLE_FROM })).toBe(true);
});

function newest(): Release {
  const release = RELEASES.at(-1);
  if (release === undefined) throw new Error('there is no release');
  return release;
}
