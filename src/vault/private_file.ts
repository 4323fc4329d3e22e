import {
  chownSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeyFileError } from './key_file_error.ts';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const DRAFT_IS_OLD_MS = 30_000;

/**
 * Writes a new file that only its owner may read, on disk before this returns.
 * @throws {KeyFileError} `exists`, or `unreadable` if it cannot be written.
 */
export function createPrivateFile(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeNew(path, content);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      throw new KeyFileError('exists', path, 'it is there already and is not overwritten');
    }
    throw cannotUse(path, error);
  }
}

/**
 * Reads a file that only its owner may read.
 * @param forbidden - the permissions with which it is refused.
 * @throws {KeyFileError} `missing`, `permissions` or `unreadable`.
 */
export function readPrivateFile(path: string, forbidden = OTHERS): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new KeyFileError(
        'missing',
        path,
        'it does not exist; `init` makes one, or restore it from a copy',
      );
    }
    throw cannotUse(path, error);
  }
  try {
    refuseIfOthersMayUse(path, fstatSync(file).mode, forbidden);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    throw cannotUse(path, error);
  } finally {
    closeSync(file);
  }
}

/**
 * Replaces the content as a whole: a crash leaves the old file or the new one, never half of one. A draft that a
 * killed process left is removed after half a minute.
 * @param change - makes the new content of the present one.
 * @returns the new content.
 * @throws {KeyFileError} as `readPrivateFile`, and `busy` while another process replaces it.
 */
export function replacePrivateFile(path: string, change: (content: string) => string): string {
  const draft = `${path}.new`;
  const ours = takeDraft(path, draft);
  try {
    const content = change(readPrivateFile(path));
    writeFileSync(draft, content);
    keepOwner(path, draft);
    syncToDisk(draft);
    // Another process took this one for dead and removed it.
    if (fileNumber(draft) !== ours) throw busy(path, draft);
    renameSync(draft, path);
    syncToDisk(dirname(path));
    return content;
  } catch (error) {
    if (fileNumber(draft) === ours) rmSync(draft, { force: true });
    if (error instanceof KeyFileError) throw error;
    throw cannotUse(path, error);
  }
}

/** Root may replace a file of the user that runs `serve`, who must be able to read it afterwards. */
function keepOwner(path: string, draft: string): void {
  const { uid, gid } = statSync(path);
  if (statSync(draft).uid !== uid) chownSync(draft, uid, gid);
}

/** The draft is the lock as well: only one process can create it. Answers which file it is. */
function takeDraft(path: string, draft: string): number | undefined {
  try {
    clearAwayOldDraft(draft);
    writeNew(draft, '');
    return fileNumber(draft);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw busy(path, draft);
    throw cannotUse(path, error);
  }
}

/**
 * A draft takes milliseconds; an older one is of a process that was killed. It is moved first, to a name that no
 * other process uses. Where two clear it away at once, one finds nothing there, or has moved the other's new draft,
 * and that process gives up.
 */
function clearAwayOldDraft(draft: string): void {
  const file = statSync(draft, { throwIfNoEntry: false });
  if (file === undefined || Date.now() - file.mtimeMs < DRAFT_IS_OLD_MS) return;
  const aside = `${draft}.${file.ino}`;
  try {
    renameSync(draft, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  rmSync(aside, { force: true });
}

function fileNumber(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function busy(path: string, draft: string): KeyFileError {
  return new KeyFileError('busy', path, `${draft} is there: another process changes it, or one was cut off`);
}

/**
 * Writes a new file, on disk before this returns; where that fails, half of it does not stay.
 * @throws what `node:fs` throws: `EEXIST` if one is there, which stays as it is
 */
export function writeNew(path: string, content: string, mode = OWNER_ONLY): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function syncToDisk(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function refuseIfOthersMayUse(path: string, mode: number, forbidden: number): void {
  if ((mode & forbidden) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new KeyFileError(
    'permissions',
    path,
    `others than its owner may use it (mode ${octal}); run \`chmod 600\` on it`,
  );
}

function cannotUse(path: string, error: unknown): KeyFileError {
  return new KeyFileError('unreadable', path, `it cannot be used (${errorCode(error) ?? 'unknown error'})`);
}

/** The code of a system error (`ENOENT`, …). */
function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
