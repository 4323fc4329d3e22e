import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAMS = join(ROOT, '.cache/program');
/** Read by the program at run time, each from beside `src/`. */
const BESIDE = ['package.json', 'schemas', 'src/pages/assets'];

/**
 * `src/` as JavaScript, with what tests preload into it (`program.tsconfig.json`): the folder. It is made once for each
 * run of jest, by the first suite that starts a process: compiling at each start took longer than the start.
 */
export function builtProgram(): string {
  const run = process.env.M2FA_TEST_RUN ?? String(process.pid);
  const folder = join(PROGRAMS, run);
  if (existsSync(folder)) return folder;
  mkdirSync(PROGRAMS, { recursive: true });
  for (const name of readdirSync(PROGRAMS)) {
    if (!isRunning(Number.parseInt(name, 10))) rmSync(join(PROGRAMS, name), { recursive: true, force: true });
  }
  const made = join(PROGRAMS, `${process.pid}.making`);
  const compiler = join(ROOT, 'node_modules/.bin/tsc');
  execFileSync(compiler, ['-p', join(import.meta.dirname, 'program.tsconfig.json'), '--outDir', made]);
  for (const name of BESIDE) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    symlinkSync(join(ROOT, name), join(made, name));
  }
  try {
    renameSync(made, folder);
  } catch {
    // Another worker was first; both are alike.
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
