/**
 * `npm run fixture [-- CHECKOUT]`: makes the folder of a release here (README.md), from a checkout of it that is built.
 * The release's own program writes the database, in processes of its own, before a stub homeserver.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { MIGRATIONS, schemaVersion } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { systemClock } from '../../src/system/clock.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeNow, wrongCode } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { signedIn, turnOn } from '../support/real_app.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { startStub } from '../support/stub/stub.ts';
import { digestOf, FOLDER, linkDependencies, type ReleaseFacts, type ReleaseUser } from './release.ts';

const NAME = 'bob';
const PASSWORD = 'correct horse';

async function make(checkout: string): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const commit = execFileSync('git', ['-C', checkout, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const folder = join(FOLDER, version);
  if (existsSync(folder)) throw new Error(`${folder} is there: a release stays as it was`);
  const scratch = mkdtempSync(join(tmpdir(), 'fixture-'));
  try {
    const into = join(scratch, 'release');
    mkdirSync(into);
    const program = pack(checkout, join(scratch, 'program'), join(into, 'program.tgz'));
    linkDependencies(scratch);
    const user = await live(program, join(scratch, 'installation'));
    const schema = keep(join(scratch, 'installation'), into);
    const migrations = MIGRATIONS.slice(0, schema).map(digestOf);
    write(join(into, 'user.json'), user);
    write(join(into, 'release.json'), { version, commit, schema, migrations } satisfies ReleaseFacts);
    cpSync(into, folder, { recursive: true });
    return folder;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the program needs to run, and the same bytes each time. */
function pack(checkout: string, program: string, archive: string): string {
  const runs = (path: string) => !/\.(?:map|d\.ts)$/.test(path);
  for (const part of ['dist', 'schemas', 'package.json']) {
    cpSync(join(checkout, part), join(program, part), { recursive: true, filter: runs });
  }
  const equal = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX'];
  execFileSync('tar', [...equal, '-I', 'gzip -9n', '-cf', archive, '-C', program, '.']);
  return join(program, 'dist/cli/main.js');
}

/** A user turns 2FA on, signs in, and leaves a sign-in that waits for its code and has met a wrong one. */
async function live(program: string, installation: string): Promise<ReleaseUser> {
  execFileSync(process.execPath, [program, 'init', '--dir', installation], { stdio: 'ignore' });
  const stub = await startStub({
    clock: systemClock,
    serverName: 'example.org',
    users: [{ name: NAME, password: PASSWORD }],
  });
  const serve = await ServeProcess.start(join(installation, 'config.yaml'), {
    program: [program],
    environment: { MATRIX_2FA_LISTEN: '127.0.0.1:0', MATRIX_2FA_HOMESERVER_URL: stub.url },
  });
  try {
    return await signInAndTurnOn(serve.url);
  } finally {
    await serve.stop();
    await stub.stop();
  }
}

async function signInAndTurnOn(url: string): Promise<ReleaseUser> {
  const login = () => call(url, { target: LOGIN, json: passwordLogin(NAME, PASSWORD) });
  const answer = (challenge: HttpAnswer, token: string) => {
    const auth = { type: 'm.login.2fa.totp', session: String(challenge.json.session), token };
    return call(url, { target: LOGIN, json: { auth } });
  };
  const bob = { name: NAME, userId: `@${NAME}:example.org`, password: PASSWORD, ...signedIn(await login()) };
  const { seed, recoveryCodes } = await turnOn(bob, Date.now(), (target, json, token) =>
    call(url, { target, json, token }),
  );
  signedIn(await answer(await login(), codeNow(seed, 1)));
  const refused = await answer(await login(), wrongCode(seed, Date.now()));
  if (refused.status !== 401) throw new Error(`a wrong code is ${refused.status}`);
  return {
    user_id: bob.userId,
    password: PASSWORD,
    seed: seed.toString('hex'),
    recovery_codes: recoveryCodes,
  };
}

/** @returns the version of the schema */
function keep(installation: string, into: string): number {
  copyFileSync(join(installation, 'config.yaml'), join(into, 'config.yaml'));
  copyFileSync(join(installation, 'data/keys.json'), join(into, 'keys.json'));
  const database = openDatabase(join(installation, 'data/2fa.db'));
  try {
    writeFileSync(join(into, '2fa.sql'), statementsOf(database));
    return schemaVersion(database);
  } finally {
    database.close();
  }
}

/** The statements that make a database with the same tables and rows. */
function statementsOf(database: Database): string {
  const objects = database
    .prepare<[], { type: string; name: string; sql: string }>(
      `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
    )
    .all();
  const tables = objects.filter(({ type }) => type === 'table');
  const others = objects.filter(({ type }) => type !== 'table');
  const lines = [
    ...tables.map(({ sql }) => `${sql};`),
    ...tables.flatMap(({ name }) => rowsOf(database, name)),
    ...others.map(({ sql }) => `${sql};`),
    `PRAGMA user_version = ${schemaVersion(database)};`,
  ];
  return `${lines.join('\n')}\n`;
}

function rowsOf(database: Database, table: string): string[] {
  const columns = database
    .prepare<[string], { name: string }>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0')
    .all(table)
    .map(({ name }) => name);
  const values = columns.map((name) => `quote(${name})`).join(" || ', ' || ");
  const rows = database.prepare<[], string>(`SELECT ${values} FROM ${table} ORDER BY rowid`).pluck().all();
  return rows.map((row) => `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${row});`);
}

function write(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

const [checkout = '.'] = process.argv.slice(2);
process.stdout.write(`${await make(checkout)}\n`);
