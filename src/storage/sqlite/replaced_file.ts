import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../system/file_rights.ts';

const OWNER_ONLY = 0o600;
/** What SQLite may keep beside a database: commits that are not in it yet, and an index of them. */
const SIDE_FILES = ['-wal', '-shm'];
/** What file systems without second names for a file answer: FAT, and some on other machines. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'];

/**
 * Copies a database file that no process has open, with commits that stand beside it, and leaves it untouched.
 * @throws an error with a `code` if it cannot be read, or `target` is there
 */
export function copyDatabaseFile(path: string, target: string): void {
  copyPrivately(path, target);
  if (existsSync(`${path}-wal`)) copyPrivately(`${path}-wal`, `${target}-wal`);
}

function copyPrivately(path: string, target: string): void {
  copyFileSync(path, target, constants.COPYFILE_EXCL);
  chmodSync(target, OWNER_ONLY);
}

export function removeDatabaseFile(path: string): void {
  for (const end of ['', ...SIDE_FILES]) rmSync(`${path}${end}`, { force: true });
}

/** The name under which this process makes what is to stand at `path`; `doing` says what it is for. */
export function nameInTheMaking(path: string, doing: 'restoring' | 'copying'): string {
  return `${path}.${doing}-${process.pid}`;
}

/** Removes what processes that were killed had in the making for `path`. */
export function removeLeftOvers(path: string, doing: 'restoring' | 'copying'): void {
  for (const name of namesBeside(path, `.${doing}-`)) {
    const pid = Number.parseInt(name.slice(`${basename(path)}.${doing}-`.length), 10);
    if (pid > 0 && !isRunning(pid)) rmSync(join(dirname(path), name), { force: true });
  }
}

function namesBeside(path: string, mark: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}${mark}`));
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Gives a file its name once it is whole, if no other one has it.
 * @param link given by tests only
 * @throws an error with the code EEXIST; another one if commits stand beside it that are not in it
 */
export function nameNewFile(prepared: string, target: string, link = linkSync): void {
  requireNothingBeside(prepared);
  flush(prepared);
  try {
    link(prepared, target);
  } catch (error) {
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    if (existsSync(target)) throw Object.assign(new Error('it is there already'), { code: 'EEXIST' });
    renameSync(prepared, target);
  }
  flush(dirname(target));
}

/** Closing a database brings its commits into its file, and does not say if it could not, on a full disk. */
function requireNothingBeside(prepared: string): void {
  if (existsSync(`${prepared}-wal`))
    throw new Error(`${prepared} could not be written: the disk may be full`);
}

/** What `kept` of `replaceDatabaseFile` begins with. */
export function nameOfKept(path: string, at: number): string {
  return `${path}.before-${new Date(at).toISOString().replaceAll(/[:.]/g, '-')}`;
}

/**
 * Puts a database file in the place of another one, which stays under the name `kept`. At every moment one of the two
 * stands whole at `target`. The owner becomes that of the folder.
 * @throws an error if commits stand beside `prepared` that are not in it
 */
export function replaceDatabaseFile(prepared: string, target: string, kept: string): void {
  requireNothingBeside(prepared);
  const folder = dirname(target);
  const { uid, gid } = statSync(folder);
  // Any other user who restores is the one that runs `serve`, and may not give a file away.
  if (process.getuid?.() === 0) chownSync(prepared, uid, gid);
  flush(prepared);
  if (existsSync(target)) {
    removeSecondNames(target);
    linkSync(target, kept);
  }
  // Left by a database that could not be opened: beside the new one it would be read into it.
  for (const end of SIDE_FILES) {
    if (existsSync(`${target}${end}`)) renameSync(`${target}${end}`, `${kept}${end}`);
  }
  renameSync(prepared, target);
  flush(folder);
}

/** Removes second names of the database file: a process that was killed between the two steps leaves one. */
function removeSecondNames(target: string): void {
  const { dev, ino } = statSync(target);
  for (const name of namesBeside(target, '.before-')) {
    const file = join(dirname(target), name);
    const found = statSync(file);
    if (found.dev === dev && found.ino === ino) rmSync(file);
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
