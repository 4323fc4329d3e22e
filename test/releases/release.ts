/**
 * The releases that there were (README.md). Each has a folder here with its program and an installation of it:
 *
 *     const [oldest] = RELEASES;
 *     oldest.unpackInstallation(folder)      configuration, keys and database, as its own program left them
 *     oldest.unpackProgram(folder)           the program, for Node: `node MAIN …`
 *     oldest.user                            who has 2FA on in it
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';

export const FOLDER = 'test/releases';
const OWNER_ONLY = 0o600;
const NEWER_LIBRARY_FROM = 22;

/** What is known of a release without running it: `release.json`. */
export interface ReleaseFacts {
  readonly version: string;
  readonly commit: string;
  /** The version of its schema. */
  readonly schema: number;
  /** SHA-256 of the text of each migration up to that version. */
  readonly migrations: readonly string[];
}

/** The user with 2FA on: `user.json`. */
export interface ReleaseUser {
  readonly user_id: string;
  readonly password: string;
  /** In hexadecimal digits. */
  readonly seed: string;
  readonly recovery_codes: readonly string[];
}

export interface Release extends ReleaseFacts {
  readonly user: ReleaseUser;
  /** Configuration, keys and database, as `init` and `serve` of this release lay them out in `folder`. */
  unpackInstallation(folder: string): { configFile: string; databaseFile: string };
  /** @returns its main module. `linkDependencies` has to be called on a folder above. */
  unpackProgram(folder: string): string;
}

/** From the oldest on. */
export const RELEASES: readonly Release[] = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'release.json')))
  .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  .map((name) => readRelease(join(FOLDER, name)));

function readRelease(folder: string): Release {
  const facts: ReleaseFacts = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8'));
  const user: ReleaseUser = JSON.parse(readFileSync(join(folder, 'user.json'), 'utf8'));
  return {
    ...facts,
    user,
    unpackInstallation: (into) => unpackInstallation(folder, into),
    unpackProgram: (into) => unpackProgram(folder, into),
  };
}

function unpackInstallation(folder: string, into: string): { configFile: string; databaseFile: string } {
  const data = join(into, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const [configFile, keys] = [join(into, 'config.yaml'), join(data, 'keys.json')];
  const databaseFile = join(data, '2fa.db');
  copyFileSync(join(folder, 'config.yaml'), configFile);
  copyFileSync(join(folder, 'keys.json'), keys);
  const database = openDatabase(databaseFile);
  // As every `serve` has it: no row says so.
  database.pragma('journal_mode = WAL');
  database.exec(readFileSync(join(folder, '2fa.sql'), 'utf8'));
  database.close();
  // git keeps no such rights.
  for (const file of [keys, databaseFile]) chmodSync(file, OWNER_ONLY);
  return { configFile, databaseFile };
}

function unpackProgram(folder: string, into: string): string {
  mkdirSync(into, { recursive: true });
  execFileSync('tar', ['xzf', resolve(folder, 'program.tgz'), '-C', into]);
  linkLibrary(into);
  return join(into, 'dist/cli/main.js');
}

/** Release 0.1 knows only one name of the database library, whose version there does not run on a newer Node. */
function linkLibrary(program: string): void {
  if (Number.parseInt(process.versions.node, 10) < NEWER_LIBRARY_FROM) return;
  mkdirSync(join(program, 'node_modules'));
  symlinkSync(resolve('node_modules/better-sqlite3-13'), join(program, 'node_modules/better-sqlite3'));
}

export function digestOf(migration: string): string {
  return createHash('sha256').update(migration).digest('hex');
}

/** Programs in folders below find the packages that this checkout has. */
export function linkDependencies(folder: string): void {
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
}
