/**
 * A real PostgreSQL for the tests, from Debian's package. One server for each run of jest, started by the first
 * suite that wants one and stopped by `run_teardown.mjs`; a database for each test.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { withDirectoryLock } from '../../tools/directory_lock.ts';

const PACKAGES = '/usr/lib/postgresql';
const STARTED_WITHIN_MS = 120_000;

/** Runs the server as long as the run of jest lives: one that is killed has no teardown. */
const WATCH = `
  "$0" "$@" & server=$!
  while [ -d "/proc/$RUN" ] && kill -0 $server; do sleep 1; done
  kill -INT $server; wait`;

export interface PostgresServer {
  /** The folder of its socket: it listens nowhere else. */
  readonly socketFolder: string;
  readonly user: string;
}

/** Where the programs of PostgreSQL are, or undefined: then suites that need it are skipped (with CI=true they fail). */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(PACKAGES) ? readdirSync(PACKAGES).map(Number) : [];
  const newest = versions.toSorted((a, b) => b - a)[0];
  if (newest !== undefined) return join(PACKAGES, String(newest), 'bin');
  if (process.env.CI === 'true') throw new Error('PostgreSQL is missing: apt-get install postgresql');
  console.warn('skipped, as PostgreSQL is missing: apt-get install postgresql');
  return undefined;
}

/** The server of this run. */
export async function postgresServer(programs: string): Promise<PostgresServer> {
  const folder = join(tmpdir(), `m2fa-postgres-${process.env.M2FA_TEST_RUN}`);
  return withDirectoryLock(`${folder}.lock`, { timeoutMs: STARTED_WITHIN_MS }, async () => {
    if (!existsSync(join(folder, 'ready'))) await startServer(programs, folder);
    return { socketFolder: folder, user: 'tests' };
  });
}

let numberOfDatabases = 0;

/** A new, empty database: its URL. */
export function newDatabase(server: PostgresServer): Promise<string> {
  return createDatabase(server, '');
}

/** A new database that holds what `original` (its URL) holds. */
export function copyDatabase(server: PostgresServer, original: string): Promise<string> {
  // Files are copied: the other strategy writes each page into the log, which takes twice as long.
  return createDatabase(server, `TEMPLATE ${nameOf(original)} STRATEGY FILE_COPY`);
}

async function createDatabase({ socketFolder, user }: PostgresServer, like: string): Promise<string> {
  numberOfDatabases += 1;
  const name = `test_${process.pid}_${Date.now().toString(36)}_${numberOfDatabases}`;
  await administer({ socketFolder, user }, `CREATE DATABASE ${name} ${like}`);
  return `postgres://${user}@localhost/${name}?host=${encodeURIComponent(socketFolder)}`;
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

export async function dropDatabase(server: PostgresServer, url: string): Promise<void> {
  await administer(server, `DROP DATABASE IF EXISTS ${nameOf(url)} WITH (FORCE)`);
}

/** A statement that is not for one of the databases of tests. */
export async function administer({ socketFolder, user }: PostgresServer, statement: string): Promise<void> {
  await connected({ host: socketFolder, user, database: 'postgres' }, (client) => client.query(statement));
}

/** A connection that ends with `act`. */
export async function connected<T>(to: ClientConfig, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(to);
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

async function startServer(programs: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const data = mkdtempSync(join(folder, 'data-'));
  const user = unprivilegedUser();
  if (user !== undefined) for (const path of [folder, data]) chownSync(path, user.uid, user.gid);
  initDatabases(programs, data);
  await runServer(programs, { data, socketFolder: folder, settings: ['max_connections=200'] });
  const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  writeFileSync(join(folder, 'ready'), pid);
}

/** Makes the files of a server. */
export function initDatabases(programs: string, data: string): void {
  const login = ['--username=tests', '--auth=trust'];
  execFileSync(
    join(programs, 'initdb'),
    ['--pgdata', data, ...login, '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
    { ...unprivilegedUser(), stdio: 'pipe', cwd: dirname(data) },
  );
}

/** Runs a server on its files. Resolves once it answers. */
export async function runServer(
  programs: string,
  {
    data,
    socketFolder,
    settings,
  }: { readonly data: string; readonly socketFolder: string; readonly settings: readonly string[] },
): Promise<void> {
  const all = ['listen_addresses=', `unix_socket_directories=${socketFolder}`, 'fsync=off', ...settings];
  const options = ['-D', data, ...all.flatMap((setting) => ['-c', setting])];
  const watch = spawn('/bin/sh', ['-c', WATCH, join(programs, 'postgres'), ...options], {
    ...unprivilegedUser(),
    stdio: 'ignore',
    detached: true,
    cwd: socketFolder,
    env: { ...process.env, RUN: process.env.M2FA_TEST_RUN },
  });
  watch.unref();
  await answering(socketFolder);
}

async function answering(socketFolder: string): Promise<void> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  for (;;) {
    try {
      return await administer({ socketFolder, user: 'tests' }, 'SELECT 1');
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

/** PostgreSQL and PgBouncer refuse to run as root; their packages bring a user for them. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('there is no user postgres to run it as');
  return { uid: Number(uid), gid: Number(gid) };
}
