import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockTimeout, withDirectoryLock } from '../directory_lock.ts';
import { ClientInstallError } from './install_error.ts';

/** Written last, so that a half-filled folder is never taken for a good one. */
const MARKER = 'contents.json';

const LOCK_TIMEOUT_MS = 10 * 60_000;

export interface KeptFolder {
  readonly directory: string;
  /** What is installed there; a folder with other contents is made again. */
  readonly contents: string;
  readonly onProgress: (line: string) => void;
}

/**
 * Fills a folder once and keeps it for later runs. Safe to call from several processes at once.
 *
 * @param fill installs into the empty folder
 * @throws ClientInstallError from `fill`, or if another process does not finish in time
 */
export async function ensureFolder(folder: KeptFolder, fill: () => Promise<void>): Promise<void> {
  if (await isFilled(folder)) return;
  const lock = {
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: () => folder.onProgress('another process is installing the clients, waiting for it'),
  };
  try {
    await withDirectoryLock(`${folder.directory}.lock`, lock, async () => {
      if (await isFilled(folder)) return;
      await rm(folder.directory, { recursive: true, force: true });
      await mkdir(folder.directory, { recursive: true });
      await fill();
      await writeFile(join(folder.directory, MARKER), folder.contents);
    });
  } catch (error) {
    if (error instanceof LockTimeout) throw new ClientInstallError(error.message, { cause: error });
    throw error;
  }
}

async function isFilled({ directory, contents }: KeptFolder): Promise<boolean> {
  const marker = await readFile(join(directory, MARKER), 'utf8').catch(() => undefined);
  return marker === contents;
}
