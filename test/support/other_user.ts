/**
 * Another user of this machine, for what root may do all the same: `asNobody('serve', '--config', file)` runs the
 * program as `nobody`. Suites that need one are skipped where the tests run as an ordinary user (with CI=true they fail).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { mainFile } from './serve_process.ts';

/** Debian's user `nobody`, who owns no file. */
export const NOBODY = 65_534;

export function isRoot(): boolean {
  if (process.getuid?.() === 0) return true;
  if (process.env.CI === 'true') throw new Error('only root can run the program as another user');
  console.warn('skipped, as only root can run the program as another user');
  return false;
}

/** Runs a command of the program to its end. */
export async function asNobody(...words: readonly string[]): Promise<{ code: number; err: string }> {
  const child = spawn(process.execPath, [mainFile(), ...words], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (err.includes('"level":"fatal"')) throw new Error(`the last resort was reached: ${err}`);
  return { code, err };
}
