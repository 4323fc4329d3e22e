import { mkdir, readdir, rename, rm, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './free_port.ts';

const HEARTBEAT_MS = 1000;
/**
 * A holder that has not shown signs of life for this long is taken for dead where its process cannot be looked for. On a
 * busy machine a holder that installs something may be silent for many seconds.
 */
const STALE_AFTER_MS = 5 * 60_000;
const POLL_MS = 200;

export interface LockOptions {
  /** Milliseconds after which waiting is given up. */
  readonly timeoutMs: number;
  /** Called once, when another process holds the lock. */
  readonly onWait?: () => void;
}

/** The lock was not to be had in time. */
export class LockTimeout extends Error {
  constructor(path: string) {
    super(`another process holds ${path}; if none is running, delete that folder`);
    this.name = 'LockTimeout';
  }
}

/**
 * Runs `work` while holding a lock that all processes of this machine respect: a folder at `path` with one
 * file in it, named after its holder. Each step is one atomic rename, so that neither taking the lock nor
 * taking it over from a dead holder can succeed twice.
 *
 * @throws LockTimeout
 */
export async function withDirectoryLock<T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const holder = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  await acquire(path, holder, options);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(join(path, holder), now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await release(path, holder);
  }
}

async function acquire(path: string, holder: string, options: LockOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + options.timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    if (await take(path, holder)) return;
    if (await takeOverFromDeadHolder(path, holder)) return;
    if (attempt === 0) options.onWait?.();
    if (Date.now() > deadline) throw new LockTimeout(path);
    await delay(POLL_MS);
  }
}

/** A folder can be renamed onto another only while that one is empty: the first to come wins. */
async function take(path: string, holder: string): Promise<boolean> {
  const prepared = `${path}.${holder}`;
  await mkdir(prepared);
  await writeFile(join(prepared, holder), '');
  try {
    await rename(prepared, path);
    return true;
  } catch {
    await rm(prepared, { recursive: true });
    return false;
  }
}

async function takeOverFromDeadHolder(path: string, holder: string): Promise<boolean> {
  try {
    const [other] = await readdir(path);
    if (other === undefined) return false;
    if (!(await isDead(path, other))) return false;
    const now = new Date();
    await rename(join(path, other), join(path, holder));
    await utimes(join(path, holder), now, now);
    return true;
  } catch {
    return false;
  }
}

/** The file is named after its holder, beginning with its process. */
async function isDead(path: string, holder: string): Promise<boolean> {
  const pid = Number.parseInt(holder, 10);
  if (pid > 0 && !isRunning(pid)) return true;
  const { mtimeMs } = await stat(join(path, holder));
  return Date.now() - mtimeMs > STALE_AFTER_MS;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of another user.
    return hasCode(error, 'EPERM');
  }
}

async function release(path: string, holder: string): Promise<void> {
  try {
    await unlink(join(path, holder));
    await rmdir(path);
  } catch {
    // Another process took the lock over, or already holds the emptied folder: this one must not remove it.
  }
}
