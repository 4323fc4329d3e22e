import { accessSync, constants, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, whyNot } from '../../system/file_rights.ts';
import { CannotOpen } from '../errors.ts';

const { R_OK, W_OK, X_OK } = constants;

/** What waiting does not heal: no right to it, and no way there. */
const FINAL: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

/**
 * File systems on other machines (linux/magic.h): SQLite's write-ahead log needs memory that all its processes share
 * (https://www.sqlite.org/wal.html), and locks that hold.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
]);

/** Answers which kind of file system holds a path: its magic number. */
type KindOfFileSystem = (path: string) => number;

/**
 * Looks whether a database can be kept at `path`: SQLite's own errors do not say which of its files is in the way.
 *
 * @param kindOf given by tests only
 * @throws CannotOpen
 */
export function requireUsablePlace(path: string, kindOf: KindOfFileSystem = kindOfFileSystem): void {
  const found = look(path, path);
  if (found?.isDirectory()) throw new CannotOpen(path, 'it is a folder');
  if (found !== undefined && !found.isFile()) throw new CannotOpen(path, 'it is not a file');
  const folder = nearestFolder(path);
  const network = NETWORK_FILE_SYSTEMS.get(kindOf(folder) >>> 0);
  if (network !== undefined) {
    throw new CannotOpen(
      path,
      `it is on a network file system (${network}); SQLite needs a local disk, PostgreSQL does not`,
    );
  }
  // Side files of another owner were left by a command that another user ran.
  for (const end of ['', '-wal', '-shm']) requireRights(path, `${path}${end}`, R_OK | W_OK);
  requireRights(path, folder, R_OK | W_OK | X_OK);
}

function requireRights(path: string, part: string, rights: number): void {
  const found = look(path, part);
  if (found === undefined) return;
  try {
    accessSync(part, rights);
  } catch (error) {
    refuse(path, part, error, found);
  }
}

/** What is at `part` of the way to the database; undefined if nothing is. */
function look(path: string, part: string): Stats | undefined {
  try {
    return statSync(part, { throwIfNoEntry: false });
  } catch (error) {
    refuse(path, part, error, nearestThatIsSeen(part));
    return undefined;
  }
}

/** @throws CannotOpen unless waiting may help */
function refuse(path: string, part: string, error: unknown, found: Stats | undefined): void {
  if (!FINAL.includes(codeOf(error))) return;
  const why = whyNot(error, found);
  throw new CannotOpen(path, part === path ? why : `${why}: ${part}`, error);
}

/** The folder of the database, or that in which its folder would be made. */
function nearestFolder(path: string): string {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = look(path, folder);
    // For a path behind a file some versions of Node find nothing, others an error with this code.
    if (found?.isDirectory() === false) refuse(path, folder, { code: 'ENOTDIR' }, found);
    if (found !== undefined || folder === dirname(folder)) return folder;
  }
}

/** In a folder that we may not search nothing is found. */
function nearestThatIsSeen(part: string): Stats | undefined {
  for (let at = dirname(part); ; at = dirname(at)) {
    try {
      return statSync(at);
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}

function kindOfFileSystem(path: string): number {
  try {
    return statfsSync(path).type;
  } catch {
    return 0;
  }
}
