import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const LEAST_FREE_BYTES = 4 * 1024 ** 3;

/**
 * Before the first suite of a run: gives it a name that all workers know, so that they can share a server, and a folder
 * for temporary files that is in memory where that can be. Each test has a database of its own, and a kill -9 asks
 * nothing of the disk.
 */
export default function setUp() {
  process.env.M2FA_TEST_RUN = String(process.pid);
  if (process.env.TMPDIR !== undefined || !isFit()) return;
  process.env.TMPDIR = mkdtempSync(join(MEMORY, 'm2fa-tests-'));
  // As /tmp is: PostgreSQL, the web servers and some commands run as users of their own.
  chmodSync(process.env.TMPDIR, 0o1777);
}

/** Linux has it; a container's may be small, and may run no program. */
function isFit() {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === MEMORY);
    return mount !== undefined && !mount.includes('noexec') && bavail * bsize > LEAST_FREE_BYTES;
  } catch {
    return false;
  }
}
