import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { asNobody, isRoot, NOBODY } from '../support/other_user.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { smallDisk } from '../support/small_disk.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type CommandLine, commandLine, type Outcome } from './command_line.ts';

let line: CommandLine;
let database: string;

beforeEach(async () => {
  line = commandLine();
  database = join(line.folder, 'data/2fa.db');
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:9');
  line.changeConfig('listen: 127.0.0.1:8010', 'listen: 127.0.0.1:0');
});

afterEach(() => line.remove());

/** How the start ended, or that it is up; then it is ended. */
async function start(): Promise<Outcome> {
  const serve = line.start('serve');
  await Promise.race([serve.said, serve.ended]);
  serve.stop();
  return serve.ended;
}

const ends = (complaint: string) => ({ code: 1, out: '', err: `matrix-2fa-proxy: ${complaint}` });

describe('F-12: what waiting cannot heal ends the start', () => {
  test('a folder in the place of the database', async () => {
    mkdirSync(database);
    expect(await start()).toEqual(ends(`${database}: cannot be opened: it is a folder`));
  });

  test('a file that is not a database is left as it is', async () => {
    writeFileSync(database, 'a diary, not a database. '.repeat(50));
    expect(await start()).toEqual(ends(`${database}: cannot be opened: it is not a database`));
    expect(readFileSync(database, 'utf8')).toMatch(/^a diary/);
  });

  test('the database of another program is left as it is', async () => {
    const other = openDatabase(database);
    other.exec('CREATE TABLE schema_version (version INTEGER)');
    other.close();
    const before = readFileSync(database);
    expect(await start()).toEqual(
      ends(`${database}: cannot be opened: it is the database of another program`),
    );
    expect(readFileSync(database).equals(before)).toBe(true);
  });

  test('a database that is damaged', async () => {
    await (await openSqliteStorage({ path: database })).close();
    const bytes = readFileSync(database);
    bytes.fill(0xff, 100, 4096);
    writeFileSync(database, bytes);
    expect(await start()).toEqual(ends(`${database}: cannot be opened: it is damaged; restore a backup`));
  });

  test('a file on the way to it', async () => {
    line.changeConfig('path: data/2fa.db', 'path: config.yaml/2fa.db');
    expect(await start()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/: cannot be opened: ENOTDIR/),
    });
  });

  test('a password file that is not there', async () => {
    line.changeConfig(
      '{ type: sqlite, path: data/2fa.db }',
      '{ type: postgres, url: "postgres://a@127.0.0.1:9/b", password_file: none }',
    );
    expect(await start()).toEqual(ends(`${join(line.folder, 'none')}: cannot be opened: ENOENT`));
  });
});

describe('F-12: rights of another user', () => {
  beforeEach(async () => {
    if (!isRoot()) return;
    chmodSync(line.folder, 0o755);
    for (const part of ['data', 'data/keys.json']) chownSync(join(line.folder, part), NOBODY, NOBODY);
  });

  const startAsNobody = () => asNobody('serve', '--config', line.configFile);

  test('a database of root, and what root left beside it, are named with whose they are', async () => {
    if (!isRoot()) return;
    writeFileSync(database, '', { mode: 0o600 });
    const rootOwned = await startAsNobody();
    chownSync(database, NOBODY, NOBODY);
    writeFileSync(`${database}-wal`, '', { mode: 0o600 });
    const walOfRoot = await startAsNobody();

    expect(rootOwned).toEqual({
      code: 1,
      err: `matrix-2fa-proxy: ${database}: cannot be opened: EACCES (owner root, mode 0600, running as nobody)\n`,
    });
    expect(walOfRoot).toEqual({
      code: 1,
      err: `matrix-2fa-proxy: ${database}: cannot be opened: EACCES (owner root, mode 0600, running as nobody): ${database}-wal\n`,
    });
  });

  test('a folder in which no file may be made, and one that may not be looked into', async () => {
    if (!isRoot()) return;
    const folder = join(line.folder, 'roots');
    mkdirSync(folder, { mode: 0o755 });
    line.changeConfig('path: data/2fa.db', 'path: roots/2fa.db');
    const noNewFile = await startAsNobody();
    chmodSync(folder, 0o700);
    const noLook = await startAsNobody();

    const path = join(folder, '2fa.db');
    expect(noNewFile).toEqual({
      code: 1,
      err: `matrix-2fa-proxy: ${path}: cannot be opened: EACCES (owner root, mode 0755, running as nobody): ${folder}\n`,
    });
    expect(noLook).toEqual({
      code: 1,
      err: `matrix-2fa-proxy: ${path}: cannot be opened: EACCES (owner root, mode 0700, running as nobody)\n`,
    });
  });
});

describe('F-12: what may come back is waited for', () => {
  test('a full disk: the start waits, and says so', async () => {
    const disk = smallDisk('64k');
    if (disk === undefined) return;
    try {
      writeFileSync(join(disk.folder, 'filling'), Buffer.alloc(60 * 1024));
      line.changeConfig('path: data/2fa.db', `path: ${disk.folder}/2fa.db`);
      expect(await start()).toMatchObject({ code: 0, out: expect.stringContaining('listens on') });
      rmSync(join(disk.folder, 'filling'));
    } finally {
      disk.remove();
    }
  });

  test('a database server that does not answer', async () => {
    line.changeConfig(
      '{ type: sqlite, path: data/2fa.db }',
      '{ type: postgres, url: "postgres://a@127.0.0.1:9/b" }',
    );
    expect(await start()).toMatchObject({ code: 0, out: expect.stringContaining('listens on') });
  });
});

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite('F-12: a PostgreSQL that refuses ends the start', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    line.changeConfig('{ type: sqlite, path: data/2fa.db }', `{ type: postgres, url: "${database.url}" }`);
  });

  afterEach(() => database.drop());

  const named = (user: string, name = database.name) => `postgres://${user}@${database.socketFolder}/${name}`;

  test('no such database', async () => {
    const missing = database.url.replace(/\/test_\w+/, '/no_such_database');
    line.changeConfig(database.url, missing);
    expect(await start()).toEqual(
      ends(
        `${named('tests', 'no_such_database')}: cannot be opened: database "no_such_database" does not exist`,
      ),
    );
  });

  test('a login that is refused', async () => {
    line.changeConfig('postgres://tests@', 'postgres://stranger@');
    expect(await start()).toEqual(
      ends(`${named('stranger')}: cannot be opened: role "stranger" does not exist`),
    );
  });

  test('a user without the right to make tables', async () => {
    const role = `guest_${process.pid}`;
    await database.administer(`CREATE ROLE ${role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    try {
      line.changeConfig('postgres://tests@', `postgres://${role}@`);
      expect(await start()).toEqual(
        ends(`${named(role)}: cannot be opened: permission denied for schema public`),
      );
    } finally {
      await database.administer(`DROP ROLE ${role}`);
    }
  });

  test('tables of another program in the place of ours', async () => {
    await database.administer('CREATE TABLE sessions (id TEXT)');
    expect(await start()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/: cannot be opened: relation "sessions" already exists$/),
    });
  });
});
