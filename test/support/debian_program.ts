import { spawnSync } from 'node:child_process';

/**
 * Whether a program of the system is there; asked with arguments that it answers with success. If not, what needs it is
 * skipped with a line that says so; with CI=true that is an error.
 */
export function hasProgram(program: string, words: readonly string[], debianPackage: string): boolean {
  if (spawnSync(program, words).status === 0) return true;
  const missing = `${program} is missing: apt-get install ${debianPackage}`;
  if (process.env.CI === 'true') throw new Error(missing);
  console.warn(`skipped, as ${missing}`);
  return false;
}
