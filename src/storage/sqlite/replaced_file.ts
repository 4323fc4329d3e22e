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
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
/** What SQLite may keep beside a database: commits that are not in it yet, and an index of them. */
const SIDE_FILES = ['-wal', '-shm'];

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

/**
 * Puts a database file in the place of another one, which stays under the name `kept`. At every moment one of the two
 * stands whole at `target`. The owner becomes that of the folder.
 */
export function replaceDatabaseFile(prepared: string, target: string, kept: string): void {
  const folder = dirname(target);
  const { uid, gid } = statSync(folder);
  chownSync(prepared, uid, gid);
  flush(prepared);
  if (existsSync(target)) linkSync(target, kept);
  // Left by a database that could not be opened: beside the new one it would be read into it.
  for (const end of SIDE_FILES) {
    if (existsSync(`${target}${end}`)) renameSync(`${target}${end}`, `${kept}${end}`);
  }
  renameSync(prepared, target);
  flush(folder);
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
