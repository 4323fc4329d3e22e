/**
 * Preloaded into a command, to see what kill -9 leaves at each of its steps.
 *
 * With `?of=FOLDER&into=FOLDER`: before each call that may change a file or a database, and within those that the
 * system does in several steps, the first folder is copied into the second one, as it would be found if the process
 * died then: what a process has written stays, its locks go. Links between files are kept. Moments that look alike are
 * copied once. With `?kill=CALL&when=before|begun|done`: at the first call whose name begins so, the process kills
 * itself. SQL statements are calls named by their words.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';

const { searchParams } = new URL(import.meta.url);
const [of, into, kill, when] = ['of', 'into', 'kill', 'when'].map((name) => searchParams.get(name));
const { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync } = fs;
const seen = new Set<string>();
/** Functions of `fs` call each other: those that we call ourselves are no steps of the command. */
let isKeeping = false;

function killAt(moment: string, call: string): void {
  if (kill && moment === when && call.startsWith(kill)) process.kill(process.pid, 'SIGKILL');
}

/** Keeps the folder as it is now; of the file named `half` only the first half was written. */
function keep(call: string, half?: string): void {
  if (!of || !into || isKeeping) return;
  isKeeping = true;
  keepFolder(of, into, call, half);
  isKeeping = false;
}

function keepFolder(of: string, into: string, call: string, half: string | undefined): void {
  const names = readdirSync(of);
  const looks = createHash('sha256').update(half ?? '');
  for (const name of names) {
    const { ino, mode, uid } = statSync(join(of, name));
    looks.update(`\n${name} ${ino} ${mode} ${uid}\n`).update(readFileSync(join(of, name)));
  }
  const key = looks.digest('hex');
  if (seen.has(key)) return;
  seen.add(key);
  const copy = join(
    into,
    `${String(seen.size).padStart(3, '0')} ${call.replaceAll(/\W+/g, ' ').slice(0, 60)}`,
  );
  mkdirSync(copy);
  copyAll(of, copy, names);
  if (half !== undefined) truncateSync(join(copy, half), statSync(join(copy, half)).size / 2);
}

function copyAll(from: string, to: string, names: readonly string[]): void {
  const copies = new Map<number, string>();
  for (const name of names) {
    const { ino } = statSync(join(from, name));
    const linked = copies.get(ino);
    if (linked === undefined) copyFileSync(join(from, name), join(to, name));
    else linkSync(linked, join(to, name));
    copies.set(ino, join(to, name));
  }
}

/** @param halfOf which argument names a file that is written in several steps */
function follow(owner: object, name: string, halfOf?: number): void {
  const method: unknown = Reflect.get(owner, name);
  if (typeof method !== 'function') throw new Error(`there is no ${name} to follow`);
  const following = function (this: unknown, ...given: unknown[]): unknown {
    const call = nameOf(name, given);
    const written = halfOf === undefined ? undefined : basename(String(given[halfOf]));
    keep(call);
    killAt('before', call);
    const answer: unknown = Reflect.apply(method, this, given);
    killAt('begun', call);
    if (!(answer instanceof Promise)) {
      if (written !== undefined) keep(`half ${call}`, written);
      return answer;
    }
    return answer.then((value: unknown) => {
      killAt('done', call);
      if (written !== undefined) keep(`half ${call}`, written);
      return value;
    });
  };
  Reflect.set(owner, name, following);
}

function nameOf(name: string, [first]: readonly unknown[]): string {
  if (typeof first === 'object' && first !== null && 'text' in first) return String(first.text).trim();
  return name === 'query' ? String(first).trim() : name;
}

const CHANGING_FILES = [
  ...['chmodSync', 'chownSync', 'closeSync', 'fsyncSync', 'linkSync', 'mkdirSync', 'mkdtempSync', 'openSync'],
  ...['renameSync', 'rmSync', 'writeFileSync'],
];
for (const name of CHANGING_FILES) follow(fs, name);
follow(fs, 'copyFileSync', 1);
syncBuiltinESMExports();

const database = openDatabase(':memory:');
const statement: object = Object.getPrototypeOf(database.prepare('SELECT 1'));
for (const name of ['run', 'get', 'all']) follow(statement, name);
const databases: object = Object.getPrototypeOf(database);
for (const name of ['exec', 'pragma', 'close']) follow(databases, name);
follow(databases, 'backup', 0);
database.close();

follow(Client.prototype, 'query');

process.on('exit', () => keep('exit'));
