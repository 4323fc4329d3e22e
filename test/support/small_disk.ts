/** File systems of a test's own, in memory: a small one fills up, and one can be made read-only. Root makes them. */
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  makeReadOnly(): void;
  /** Writes until no more than so many bytes, a multiple of 4096, go onto it. Answers how to take that off again. */
  fill(left?: number): () => void;
  remove(): void;
}

/** Undefined where this process may not mount: then tests that need it are skipped (with CI=true they fail). */
export function smallDisk(size = '1m'): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'small-disk-'));
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  try {
    mount(`size=${size}`);
  } catch (error) {
    rmSync(folder, { recursive: true });
    if (process.env.CI === 'true') throw error;
    console.warn('skipped, as this process may not mount a file system');
    return undefined;
  }
  return {
    folder,
    fill: (left = 0) => fill(folder, left),
    makeReadOnly: () => mount(`remount,ro,size=${size}`),
    remove: () => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

const PAGE = 4096;

function fill(folder: string, left: number): () => void {
  const path = join(folder, 'filling');
  const file = openSync(path, 'w');
  for (const size of [16 * PAGE, PAGE]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  ftruncateSync(file, fstatSync(file).size - left);
  closeSync(file);
  return () => rmSync(path);
}
