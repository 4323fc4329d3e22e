import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { findDatabaseIdentity } from '../../src/storage/tables/database_identity.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { enrol } from '../support/enrolment.ts';
import type { CommandLine, Outcome } from './command_line.ts';
import { Initialised } from './initialised.ts';

const BOB = '@bob:example.org';

let line: CommandLine;
let installed: Initialised;
let keys: string;
let database: string;

beforeEach(async () => {
  installed = await Initialised.make();
  ({ line } = installed);
  keys = join(line.folder, 'data/keys.json');
  database = join(line.folder, 'data/2fa.db');
});

afterEach(() => installed.remove());

/** Bob turns 2FA on while no `serve` runs, as if it had been killed right after the enrolment. */
async function enrolBob(path = database): Promise<void> {
  const storage = await openSqliteStorage({ path, clock: line.clock });
  const vault = new SealingVault(loadKeyRing(keys), systemRandom);
  await enrol({ store: storage.factors, vault, clock: line.clock }, BOB);
  await storage.close();
}

/** Starts and, where that works, ends it again. */
async function serveOnce(...words: string[]): Promise<Outcome> {
  const serve = line.start('serve', ...words);
  await Promise.race([serve.said, serve.ended]);
  serve.stop();
  return serve.ended;
}

function removeDatabase(): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${database}${end}`, { force: true });
}

function marksIn(file: string): { id: string; mac: string }[] {
  return JSON.parse(readFileSync(file, 'utf8')).databases ?? [];
}

const refused = {
  code: 2,
  out: '',
  err: expect.stringMatching(
    /^matrix-2fa-proxy: .*2fa\.db (is not there|is not the database) .*--accept-empty-database[^\n]*$/,
  ),
};

describe('attack 168: once users have enrolled, no other database is served', () => {
  test('a key file without enrolled users goes with any database', async () => {
    expect(await serveOnce()).toMatchObject({ code: 0 });
    expect(marksIn(keys)).toEqual([]);
    removeDatabase();
    expect(await serveOnce()).toMatchObject({ code: 0 });
  });

  test('a start that finds enrolled users marks their database, in a private file', async () => {
    await enrolBob();
    expect(await serveOnce()).toMatchObject({ code: 0 });
    expect(marksIn(keys)).toEqual([{ id: expect.any(String), mac: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(statSync(keys).mode & 0o777).toBe(0o600);
    const once = readFileSync(keys, 'utf8');
    expect(await serveOnce()).toMatchObject({ code: 0 });
    expect(readFileSync(keys, 'utf8')).toBe(once);
  });

  test('a database that is gone is not made', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    expect(await serveOnce()).toEqual(refused);
    expect(existsSync(database)).toBe(false);
  });

  test('an empty file in its place is refused and left empty', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    writeFileSync(database, '');
    expect(await serveOnce()).toEqual(refused);
    expect(statSync(database).size).toBe(0);
  });

  test('an empty database in its place is refused', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    await (await openSqliteStorage({ path: database, clock: line.clock })).close();
    expect(await serveOnce()).toEqual(refused);
  });

  test('another database with users of the same keys is refused', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    await enrolBob();
    expect(await serveOnce()).toEqual(refused);
  });

  test('a copy from before the first enrolment is refused, one from after it is not', async () => {
    await (await openSqliteStorage({ path: database, clock: line.clock })).close();
    const before = join(line.folder, 'before.db');
    await line.type('backup', before);
    await enrolBob();
    await serveOnce();
    const after = join(line.folder, 'after.db');
    await line.type('backup', after);

    removeDatabase();
    copyFileSync(before, database);
    expect(await serveOnce()).toEqual(refused);

    removeDatabase();
    copyFileSync(after, database);
    expect(await serveOnce()).toMatchObject({ code: 0 });
  });

  test('it stays known after everybody has turned 2FA off, and over rotated keys', async () => {
    await enrolBob();
    await serveOnce();
    const storage = await openSqliteStorage({ path: database, clock: line.clock });
    await storage.factors.removeAllFactors(BOB);
    await storage.close();
    await line.type('keys', 'rotate', '--active-in', '0s');
    expect(marksIn(keys)).toHaveLength(1);
    expect(await serveOnce()).toMatchObject({ code: 0 });
    removeDatabase();
    expect(await serveOnce()).toEqual(refused);
  });

  test('a mark that the keys did not make counts for nothing', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    const storage = await openSqliteStorage({ path: database, clock: line.clock });
    const [identity] = await storage.read(findDatabaseIdentity());
    await storage.close();
    await enrolBob();
    const file = JSON.parse(readFileSync(keys, 'utf8'));
    writeFileSync(keys, JSON.stringify({ ...file, databases: [{ ...file.databases[0], id: identity?.id }] }));
    expect(await serveOnce()).toEqual(refused);
  });

  test('--accept-empty-database goes on, and the mark is gone', async () => {
    await enrolBob();
    await serveOnce();
    removeDatabase();
    expect(await serveOnce('--accept-empty-database')).toMatchObject({ code: 0 });
    expect(marksIn(keys)).toEqual([]);
    expect(await serveOnce()).toMatchObject({ code: 0 });
  });

  test('--accept-empty-database takes a foreign one for the right one from then on', async () => {
    await enrolBob();
    await serveOnce();
    const [old] = marksIn(keys);
    removeDatabase();
    await enrolBob();
    expect(await serveOnce('--accept-empty-database')).toMatchObject({ code: 0 });
    expect(marksIn(keys)).toEqual([
      { id: expect.not.stringMatching(`^${old?.id}$`), mac: expect.any(String) },
    ]);
    expect(await serveOnce()).toMatchObject({ code: 0 });
  });

  test('keys.marks holds the marks where the key file cannot be written', async () => {
    line.changeConfig(
      'keys: { file: data/keys.json }',
      'keys: { file: data/keys.json, marks: marks/known.json }',
    );
    const before = readFileSync(keys, 'utf8');
    const marks = join(line.folder, 'marks/known.json');
    await enrolBob();
    expect(await serveOnce()).toMatchObject({ code: 0 });
    expect(readFileSync(keys, 'utf8')).toBe(before);
    expect(marksIn(marks)).toHaveLength(1);
    expect(statSync(marks).mode & 0o777).toBe(0o600);
    removeDatabase();
    expect(await serveOnce()).toEqual(refused);
    writeFileSync(marks, '{"version":1,"databases":[{}]}');
    expect(await serveOnce()).toMatchObject({ code: 2, err: expect.stringContaining(marks) });
  });
});
