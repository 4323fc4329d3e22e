import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NoDatabase } from '../../src/storage/errors.ts';
import { enter } from '../support/entries.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { mainFile, preloaded } from '../support/serve_process.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type CommandLine, commandLine, type Outcome } from './command_line.ts';
import { contentOf, OperatedDatabase } from './operated_database.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
/** Files that a command makes for itself. */
const FOR_ITSELF = /\.(restoring|copying)-/;

/** Runs a command in a process of its own, followed by `test/support/cut_points.ts`. */
async function runFollowed(
  settings: Record<string, string>,
  folder: string,
  words: readonly string[],
): Promise<{ code: number | null; err: string }> {
  const preload = ['--import', preloaded('cut_points', settings), mainFile()];
  const child = spawn(process.execPath, [...preload, ...words], {
    cwd: folder,
    env: { ...process.env, MATRIX_2FA_CONFIG: join(folder, 'config.yaml') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, err };
}

let source: OperatedDatabase;
let folder: string;
let moments: string;

beforeEach(async () => {
  source = new OperatedDatabase();
  ({ folder } = source.line);
  source.configure('{ type: sqlite, path: 2fa.db }\nlisten: 127.0.0.1:0\nlog: { level: error }');
  moments = mkdtempSync(join(tmpdir(), 'moments-'));
  await source.enrol(BOB);
});

afterEach(() => {
  source.line.remove();
  rmSync(moments, { recursive: true, force: true });
});

/** A folder as a command left it that was killed. */
interface Moment {
  /** Which call was next. */
  readonly name: string;
  readonly line: CommandLine;
  readonly content: (database: string) => Promise<unknown>;
}

/** Runs the command to its end; the answer is what kill -9 would have left at each of its steps, the last one its end. */
async function momentsOf(...words: string[]): Promise<Moment[]> {
  expect(await runFollowed({ of: folder, into: moments }, folder, words)).toEqual({ code: 0, err: '' });
  return readdirSync(moments)
    .toSorted()
    .map((name) => {
      const line = commandLine(join(moments, name));
      line.clock.set(Date.now());
      return {
        name,
        line,
        content: (database) =>
          contentApart(contentOf({ type: 'sqlite', path: join(line.folder, database) }, line)),
      };
    });
}

/** Without what each `serve` and each command put on record of itself. */
async function contentApart(content: Promise<Record<string, unknown>>): Promise<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(await content).filter(([table]) => !table.startsWith('audit')));
}

async function startServe(line: CommandLine): Promise<Outcome> {
  const serve = line.start('serve');
  await Promise.race([serve.said, serve.ended]);
  serve.stop();
  return serve.ended;
}

/** What must hold of a folder in which a command was killed, whichever. */
async function requireSound({ name, line }: Moment, again: readonly string[]): Promise<void> {
  const served = await startServe(line);
  expect({ name, ...served }).toMatchObject({ name, code: 0, out: expect.stringContaining('listens on') });
  expect({ name, ...(await line.type(...again)) }).toMatchObject({ name, code: 0, err: '' });
  const left = readdirSync(line.folder);
  expect(left.filter((file) => FOR_ITSELF.test(file))).toEqual([]);
  // A second name of the database would be taken for a copy of it: two openings by two names damage it.
  expect(left.filter((file) => statSync(join(line.folder, file)).nlink > 1)).toEqual([]);
}

describe('F-13: kill -9 at each step of a command on SQLite files', () => {
  test('restore: the old database or the new one is in force; what was replaced is kept', async () => {
    await source.line.type('backup', join(folder, 'backup.db'));
    await source.enrol(CAROL);
    const old = await contentApart(source.content());
    const words = ['restore', 'backup.db', '--replace', '--yes'];
    const seen = await momentsOf(...words);
    const restored = await seen.at(-1)?.content('2fa.db');
    const inForce = await Promise.all(seen.map(({ content }) => content('2fa.db')));
    const change = inForce.findIndex((content) => !isDeepStrictEqual(content, old));
    expect(inForce).toEqual(seen.map((_moment, at) => (at < change ? old : restored)));
    expect(change).toBeGreaterThan(5);
    for (const moment of seen) {
      const { folder: at } = moment.line;
      await requireSound(moment, ['restore', join(at, 'backup.db'), '--replace', '--yes']);
      const kept = readdirSync(at).filter((file) => file.includes('.before-') && file.endsWith('Z'));
      expect(await Promise.all(kept.map(moment.content))).toContainEqual(old);
    }
  });

  test('backup: the copy is not there, or whole', async () => {
    const all = await contentApart(source.content());
    for (const moment of await momentsOf('backup', 'backup.db')) {
      const { line, name } = moment;
      const copy = join(line.folder, 'backup.db');
      if (existsSync(copy)) {
        expect({ name, content: await moment.content('backup.db') }).toEqual({ name, content: all });
        rmSync(copy);
      }
      await requireSound(moment, ['backup', copy]);
    }
  });

  test.each(['a new file', 'an earlier copy'])(
    'migrate into %s: it is as it was, or whole',
    async (target) => {
      const words = (at: string) => [
        'migrate',
        ...['--from', `sqlite:${join(at, '2fa.db')}`],
        ...['--to', `sqlite:${join(at, 'copy.db')}`],
      ];
      if (target !== 'a new file') await source.line.type(...words(folder));
      const earlier = target === 'a new file' ? undefined : await contentApart(source.content());
      await source.enrol(CAROL);
      const all = await contentApart(source.content());
      for (const moment of await momentsOf(...words('.'))) {
        const { line, name } = moment;
        expect(await moment.content('2fa.db')).toEqual(all);
        const copied = await moment.content('copy.db').catch((error: unknown) => {
          // An empty file, or one without tables.
          if (error instanceof NoDatabase) return undefined;
          throw error;
        });
        expect([earlier, all]).toContainEqual(copied);
        await requireSound(moment, words(line.folder));
        expect({ name, content: await moment.content('copy.db') }).toEqual({ name, content: all });
      }
    },
  );
});

/** A line of the audit, as with everything that is written for a user. */
function record(database: OperatedDatabase): Promise<void> {
  return database.with((storage) => enter(storage, { at: 7, userId: BOB, event: 'totp.used' }));
}

const onPostgres = postgresPrograms() === undefined ? describe.skip : describe;

// A killed command ends its connection, and with it what it did not commit: the transaction is cut in its middle, when
// all is written, while it commits, and after that.
onPostgres('F-13: kill -9 within a command on PostgreSQL', () => {
  let target: OperatedDatabase;
  let made: TestDatabase;

  beforeEach(async () => {
    made = await TestDatabase.make(postgresPrograms());
    target = new OperatedDatabase(made.storage);
    copyFileSync(source.keys, target.keys);
  });

  afterEach(async () => {
    target.line.remove();
    await made.drop();
  });

  const killedAt = (call: string, moment: string, words: readonly string[]) =>
    runFollowed({ kill: call, when: moment }, target.line.folder, words);

  test.each([
    ['INSERT INTO accounts', 'done', 'old'],
    ['SELECT setval', 'done', 'old'],
    ['COMMIT', 'begun', 'old or new'],
    ['COMMIT', 'done', 'new'],
  ])('restore, at %s (%s): the %s database is in force', async (call, moment, inForce) => {
    const backup = join(folder, 'backup.db');
    await source.line.type('backup', backup);
    // Numbers of the audit that the backup does not reach.
    for (const user of [BOB, CAROL]) await target.enrol(user);
    for (let lines = 0; lines < 3; lines += 1) await record(target);
    const old = await target.content();
    const words = ['restore', backup, '--replace', '--yes'];
    expect(await killedAt(call, moment, words)).toEqual({ code: null, err: '' });
    const isOld = isDeepStrictEqual(await target.content(), old);
    if (!isOld) expect(await target.enrolled()).toEqual([BOB]);
    expect(inForce).toContain(isOld ? 'old' : 'new');
    await record(target);
    expect(await target.line.type(...words)).toMatchObject({ code: 0, err: '' });
    expect(await target.enrolled()).toEqual([BOB]);
    await record(target);
  });

  test.each([
    ['INSERT INTO audit', 'done'],
    ['COMMIT', 'begun'],
  ])('migrate, at %s (%s): a second one makes the copy whole', async (call, moment) => {
    await record(source);
    const words = ['migrate', '--from', source.address, '--to', target.address];
    expect(await killedAt(call, moment, words)).toEqual({ code: null, err: '' });
    expect(await target.line.type(...words)).toMatchObject({ code: 0, err: '' });
    expect(await target.content()).toEqual(await source.content());
    await record(target);
  });
});
