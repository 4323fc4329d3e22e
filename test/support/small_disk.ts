/** File systems of a test's own, in memory: a small one fills up, and one can be made read-only. Root makes them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly folder: string;
  makeReadOnly(): void;
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
    makeReadOnly: () => mount(`remount,ro,size=${size}`),
    remove: () => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
