import { readFileSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';

/**
 * Why a file cannot be used, for its operator: `EACCES (owner root, mode 0600, running as matrix-2fa)`.
 * @param found what is there, as far as it can be seen
 */
export function whyNot(error: unknown, found: Stats | undefined): string {
  return found === undefined ? codeOf(error) : `${codeOf(error)} (${rightsOf(found)})`;
}

/** The code of a system error (`ENOENT`, …). */
export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}

function rightsOf({ uid, mode }: Stats): string {
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return `owner ${nameOfUser(uid)}, mode ${octal}, running as ${runningAs()}`;
}

function runningAs(): string {
  try {
    return userInfo().username;
  } catch {
    // The user of a container need not be in the system's list of users.
    return `uid ${process.geteuid?.()}`;
  }
}

function nameOfUser(uid: number): string {
  const line = users().find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `uid ${uid}`;
}

function users(): string[] {
  try {
    return readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    return [];
  }
}
