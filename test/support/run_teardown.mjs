import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOPPED_WITHIN_MS = 10_000;

/**
 * After the last suite of a run: ends the PostgreSQL server that `postgres.ts` may have started, and removes the folder
 * that `run_setup.mjs` made, the program that `built_program.ts` made and what `openapi_judge.ts` parsed.
 */
export default async function tearDown() {
  const program = join(import.meta.dirname, '../../.cache/program', process.env.M2FA_TEST_RUN);
  rmSync(program, { recursive: true, force: true });
  const folder = join(tmpdir(), `m2fa-postgres-${process.env.M2FA_TEST_RUN}`);
  const ready = join(folder, 'ready');
  if (existsSync(ready)) await end(Number(readFileSync(ready, 'utf8')));
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(tmpdir(), `m2fa-spec-${process.env.M2FA_TEST_RUN}`), { recursive: true, force: true });
  if (tmpdir().startsWith('/dev/shm/m2fa-tests-')) rmSync(tmpdir(), { recursive: true, force: true });
}

async function end(pid) {
  // Its "fast" shutdown: open connections are ended.
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOPPED_WITHIN_MS;
  while (isRunning(pid) && Date.now() < deadline) await delay(50);
  if (isRunning(pid)) process.kill(pid, 'SIGQUIT');
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
