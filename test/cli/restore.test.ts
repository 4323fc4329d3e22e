import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readGrant } from '../../src/second_factor/grant.ts';
import { HeldLogins } from '../../src/second_factor/held_logins.ts';
import { MIGRATIONS, migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { ask } from '../../src/storage/statement.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { session, upTo } from '../storage/rows.ts';
import { mainFile } from '../support/serve_process.ts';
import { contentOf, describeOnOperated, OperatedDatabase } from './operated_database.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const STEP = 30_000;

const steps = ask<{ step: number }>('SELECT last_step AS step FROM authenticators');
const holds = ask<{ expires: number }>('SELECT expires_at AS expires FROM holds');
const sessions = ask('SELECT id_hash FROM sessions');

describeOnOperated('backup and restore', (at) => {
  let backup: string;

  const type = (...words: string[]) => at.database.line.type(...words);
  const restore = (...words: string[]) => type('restore', backup, '--yes', ...words);

  beforeEach(async () => {
    backup = join(at.database.line.folder, 'backup.db');
    await at.database.enrol(BOB);
  });

  /** A login of Bob's and a session wait for their second factor. */
  async function beginSignIn(): Promise<void> {
    const { line, keys } = at.database;
    const vault = new SealingVault(loadKeyRing(keys), systemRandom);
    const json = { user_id: BOB, access_token: 'held-token', device_id: 'PHONE' };
    const grant = readGrant({ status: 200, headers: {}, bytes: Buffer.alloc(0), json });
    if (grant === undefined) throw new Error('a grant of this shape is read');
    const allowance = { perSecond: 0.003, burstCount: 4 };
    const settings = { holdTtlMs: 300_000, maximum: 10, allowance };
    await at.database.with(async (storage) => {
      await new HeldLogins({ storage, vault, clock: line.clock, random: systemRandom }, settings).keep({
        grant,
        password: 'secret password',
        usesAllowance: false,
        joinKeys: undefined,
        atEnd: 'logout',
        version: undefined,
      });
      await storage.sessions.open(session({ idHash: 'a session', userId: BOB }), upTo(9));
    });
  }

  test('a backup is a private SQLite file with all rows, and no file is overwritten', async () => {
    await beginSignIn();
    expect(await type('backup', backup)).toMatchObject({ code: 0, err: '' });
    expect(await contentOf({ type: 'sqlite', path: backup }, at.database.line)).toEqual(
      await at.database.content(),
    );
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(backup);
    expect(await type('backup', backup)).toMatchObject({ code: 1 });
    expect(readFileSync(backup)).toEqual(bytes);
  });

  test('what was there comes back; sign-ins have ended, and steps up to now are spent', async () => {
    await beginSignIn();
    await type('backup', backup);
    const bytes = readFileSync(backup);
    await at.database.enrol(CAROL);
    const { clock } = at.database.line;
    clock.advance(STEP);

    const outcome = await restore('--replace');
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).toContain('1 user with two-factor authentication on');
    expect(readFileSync(backup)).toEqual(bytes);
    expect(await at.database.enrolled()).toEqual([BOB]);
    await at.database.with(async (storage) => {
      expect(await storage.read(steps)).toEqual([{ step: Math.floor(clock.now() / STEP) }]);
      expect(await storage.read(sessions)).toEqual([]);
      expect(await storage.read(holds)).toEqual([{ expires: clock.now() }]);
      const [newest] = await storage.audit.list({ userId: BOB, limit: 1 });
      expect(newest).toMatchObject({ event: 'operator.restore', at: clock.now() });
    });
  });

  test('into an empty database, without --replace', async () => {
    await type('backup', backup);
    const other = new OperatedDatabase();
    writeFileSync(other.keys, readFileSync(at.database.keys));
    expect(await other.line.type('restore', backup, '--yes')).toMatchObject({ code: 0, err: '' });
    expect(await other.enrolled()).toEqual([BOB]);
    other.line.remove();
  });

  test('a copy of an older version is brought up to date', async () => {
    await at.database.with(({ factors }) => factors.removeAllFactors(BOB));
    const old = openDatabase(backup);
    migrate(old, MIGRATIONS.slice(0, 14));
    old.close();
    expect(await restore()).toMatchObject({ code: 0, err: '' });
    expect(await at.database.enrolled()).toEqual([]);
  });

  test('without an answer or with no it changes nothing', async () => {
    await type('backup', backup);
    const before = await at.database.content();
    expect(await type('restore', backup, '--replace')).toMatchObject({
      code: 2,
      err: 'matrix-2fa-proxy: no one is there to ask: add --yes',
    });
    at.database.line.answer = false;
    expect(await type('restore', backup, '--replace')).toMatchObject({ code: 1 });
    expect(await at.database.content()).toEqual(before);
  });

  describe('is refused with exit code 1 and leaves all as it is', () => {
    const foreign = (change: (path: string) => void) => async () => change(backup);
    const sqlite = (sql: string) =>
      foreign((path) => {
        const database = openDatabase(path);
        database.exec(sql);
        database.close();
      });
    const cut = async () => {
      await type('backup', backup);
      const bytes = readFileSync(backup);
      // The first page alone: the tables are named, and not there.
      writeFileSync(backup, bytes.subarray(0, 4096));
    };

    test.each<[string, () => Promise<unknown>, RegExp]>([
      ['no file', async () => undefined, /there is no such file/],
      [
        'a text',
        foreign((path) => writeFileSync(path, 'text'.repeat(999))),
        /not a whole database of this program/,
      ],
      ['an empty file', foreign((path) => writeFileSync(path, '')), /not a whole database of this program/],
      ['a folder', foreign((path) => mkdirSync(path)), /backup\.db/],
      ['a file that was cut', cut, /not a whole database of this program/],
      ['another database', sqlite('CREATE TABLE notes (text TEXT); PRAGMA user_version = 3'), /not a whole/],
      [
        'a newer version',
        async () => {
          await type('backup', backup);
          await sqlite('PRAGMA user_version = 999')();
        },
        /schema version 999/,
      ],
      [
        'other keys',
        async () => {
          await type('backup', backup);
          const others = join(at.database.line.folder, 'others.json');
          createKeyFile(others, systemRandom, at.database.line.clock);
          writeFileSync(at.database.keys, readFileSync(others));
        },
        /do not open/,
      ],
      [
        'a process that serves',
        async () => {
          await type('backup', backup);
          await at.database.announce();
        },
        /in use by a running serve/,
      ],
    ])('%s', async (_what, prepare, reason) => {
      await prepare();
      const before = await at.database.content();
      const files = readdirSync(at.database.line.folder);
      const outcome = await restore('--replace');
      expect(outcome).toMatchObject({ code: 1, out: '', err: expect.stringMatching(reason) });
      expect(outcome.err.split('\n')).toHaveLength(1);
      expect(await at.database.content()).toEqual(before);
      expect(readdirSync(at.database.line.folder).filter((name) => !name.includes('2fa.db-'))).toEqual(
        files.filter((name) => !name.includes('2fa.db-')),
      );
    });

    test('a process that begins to serve while the operator is asked', async () => {
      await type('backup', backup);
      const { line } = at.database;
      line.beforeAnswer = () => at.database.announce();
      line.answer = true;
      expect(await type('restore', backup, '--replace')).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('in use by a running serve'),
      });
      expect(readdirSync(line.folder).filter((name) => name.includes('.before-'))).toEqual([]);
    });

    test('users who are there, without --replace', async () => {
      await type('backup', backup);
      const before = await at.database.content();
      expect(await restore()).toMatchObject({ code: 1, err: expect.stringContaining('add --replace') });
      expect(await at.database.content()).toEqual(before);
    });
  });
});

describe('restore into an SQLite file', () => {
  let database: OperatedDatabase;
  let backup: string;
  let path: string;

  const keptFiles = () => readdirSync(database.line.folder).filter((name) => name.includes('.before-'));
  const restore = () => database.line.type('restore', backup, '--replace', '--yes');

  beforeEach(async () => {
    database = new OperatedDatabase();
    backup = join(database.line.folder, 'backup.db');
    path = join(database.line.folder, '2fa.db');
    await database.enrol(BOB);
    await database.line.type('backup', backup);
    await database.enrol(CAROL);
  });

  afterEach(() => database.line.remove());

  (process.getuid?.() === 0 ? test : test.skip)(
    'the user that runs serve restores in a folder that belongs to another one',
    async () => {
      const { folder } = database.line;
      for (const name of readdirSync(folder)) chownSync(join(folder, name), 65_532, 65_532);
      chmodSync(folder, 0o777);
      const child = spawn(process.execPath, [mainFile(), 'restore', backup, '--replace', '--yes'], {
        env: { ...process.env, MATRIX_2FA_CONFIG: database.line.configFile },
        stdio: ['ignore', 'ignore', 'pipe'],
        uid: 65_532,
        gid: 65_532,
      });
      const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(keptFiles()).toHaveLength(1);
    },
  );

  test('the old file is kept, whole', async () => {
    const before = await database.content();
    const { out } = await restore();
    const [kept = '', ...more] = keptFiles();
    expect(more).toEqual([]);
    expect(out).toContain(kept);
    const old = { type: 'sqlite', path: join(database.line.folder, kept) } as const;
    expect(await contentOf(old, database.line)).toEqual(before);
  });

  test.each([
    ['a text', 'this was a database once'],
    ['nothing', ''],
  ])('%s in the place of the database is kept and replaced', async (_what, text) => {
    writeFileSync(path, text);
    expect(await restore()).toMatchObject({ code: 0 });
    expect(await database.enrolled()).toEqual([BOB]);
    expect(readFileSync(join(database.line.folder, keptFiles()[0] ?? ''), 'utf8')).toBe(text);
  });

  test('the owner is the folder’s, and only they can read it', async () => {
    const { uid } = statSync(database.line.folder);
    // Only root can give a folder away.
    const owner = process.getuid?.() === 0 ? 12_345 : uid;
    chownSync(database.line.folder, owner, -1);
    await restore();
    expect(statSync(path)).toMatchObject({ uid: owner, mode: 0o100600 });
  });

  test('a program that has the database open keeps commits beside it: it is to be ended first', async () => {
    const other = openDatabase(path);
    other.exec('BEGIN; SELECT count(*) FROM accounts');
    other.prepare('SELECT count(*) FROM accounts').get();
    await database.enrol('@dora:example.org');
    const files = readdirSync(database.line.folder);
    expect(await restore()).toMatchObject({
      code: 1,
      err: expect.stringContaining('open in another program'),
    });
    expect(readdirSync(database.line.folder)).toEqual(files);
    other.close();
    expect(await database.enrolled()).toEqual([BOB, CAROL, '@dora:example.org']);
    expect(await restore()).toMatchObject({ code: 0, err: '' });
  });

  test('the database itself is not a backup', async () => {
    expect(await database.line.type('restore', path, '--replace', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is the database itself'),
    });
  });
});
