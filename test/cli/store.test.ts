import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';
import { processSurroundings } from '../../src/cli/surroundings.ts';
import { nameOfDatabase } from '../../src/storage/open_storage.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type CommandLine, commandLine } from './command_line.ts';

/** They make the database where it is missing. */
const MAKERS = ['serve', 'migrate', 'restore'];
/** They do not need it, or have a line of their own for it. */
const OTHERS = [
  'init',
  'check-config',
  'doctor',
  'routes',
  'texts',
  'keys list',
  'keys rotate',
  'keys retire',
  'admin token list',
  'admin token revoke',
];

const PROGRAM = await buildProgram(processSurroundings());
const ALL = pathsOf(PROGRAM);
const NEEDING_IT = ALL.filter((path) => ![...MAKERS, ...OTHERS].includes(path));

function pathsOf(command: Command, before = ''): string[] {
  return command.commands.flatMap((inner) => {
    const path = `${before}${inner.name()}`;
    return inner.commands.length === 0 ? [path] : pathsOf(inner, `${path} `);
  });
}

const WORDS: Readonly<Record<string, string>> = { 'user-id': '@bob:example.org', name: 'script' };
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  'notify test': ['--user', '@bob:example.org'],
};

/** The words of a command, with something for each argument and option that it needs. */
function wordsFor(path: string, folder: string): string[] {
  const names = path.split(' ');
  const command = names.reduce(
    (outer, name) => outer.commands.find((inner) => inner.name() === name) ?? outer,
    PROGRAM,
  );
  const needed = command.registeredArguments
    .filter(({ required }) => required)
    .map((argument) => WORDS[argument.name()] ?? fileFor(path, join(folder, argument.name())));
  const options = command.options
    .filter(({ mandatory }) => mandatory)
    .flatMap(({ long, argChoices = [long === '--scope' ? 'users:read' : 'x'] }) => [
      long ?? '',
      argChoices.at(-1) ?? '',
    ]);
  return [...names, ...needed, ...options, ...(FURTHER[path] ?? [])];
}

/** What is imported is read before the database is opened. */
function fileFor(path: string, unread: string): string {
  return path === 'user import' ? 'test/rescue/fixtures/plain.csv' : unread;
}

let line: CommandLine;
let database: string;

beforeEach(async () => {
  line = commandLine();
  database = join(line.folder, 'data/2fa.db');
  await line.type('init', '--dir', line.folder);
});

afterEach(() => line.remove());

test('there are commands that need the database', () => {
  expect(NEEDING_IT).toEqual(expect.arrayContaining(['user list', 'user show', 'user reset', 'user unlock']));
});

describe.each(NEEDING_IT)('%s makes no database', (path) => {
  const refused = (name: string) => ({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: ${name}: there is no database; serve makes it`,
  });

  test('where there is none', async () => {
    expect(await line.type(...wordsFor(path, line.folder))).toEqual(refused(database));
    expect(existsSync(database)).toBe(false);
  });

  test('where its folder is missing', async () => {
    line.changeConfig('path: data/2fa.db', 'path: elsewhere/2fa.db');
    const elsewhere = join(line.folder, 'elsewhere');
    expect(await line.type(...wordsFor(path, line.folder))).toEqual(refused(join(elsewhere, '2fa.db')));
    expect(existsSync(elsewhere)).toBe(false);
  });

  test('in an empty file', async () => {
    writeFileSync(database, '');
    expect(await line.type(...wordsFor(path, line.folder))).toEqual(refused(database));
    expect(readFileSync(database, 'utf8')).toBe('');
  });

  test('in a folder of its name', async () => {
    rmSync(database, { force: true });
    mkdirSync(database);
    expect(await line.type(...wordsFor(path, line.folder))).toMatchObject({ code: 1, out: '' });
  });
});

describe.each(OTHERS.filter((path) => path !== 'init' && ALL.includes(path)))('%s', (path) => {
  test('makes no database either', async () => {
    await line.type(...wordsFor(path, line.folder));
    expect(existsSync(database)).toBe(false);
  });
});

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite('an empty PostgreSQL database', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    line.changeConfig('{ type: sqlite, path: data/2fa.db }', `{ type: postgres, url: "${database.url}" }`);
  });

  afterEach(() => database.drop());

  test('is left empty by every command that makes none', async () => {
    const name = nameOfDatabase(database.storage);
    for (const path of NEEDING_IT.filter((each) => each !== 'backup')) {
      expect(await line.type(...wordsFor(path, line.folder))).toEqual({
        code: 1,
        out: '',
        err: `matrix-2fa-proxy: ${name}: there is no database; serve makes it`,
      });
    }
    for (const path of OTHERS.filter((each) => each !== 'init' && ALL.includes(each))) {
      await line.type(...wordsFor(path, line.folder));
    }
    const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    const { rows } = await database.asOther((client) => client.query(tables));
    expect(rows).toEqual([]);
  });
});
