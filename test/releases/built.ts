/**
 * The program as `npm run build` makes it, and what stands for the release after it: the same one with a migration more.
 *
 *     const now = buildProgram(folder);
 *     const next = nextRelease(now, otherFolder, { adds: 'ALTER TABLE accounts ADD COLUMN …;' });
 *     await run(mainOf(next), 'migrate', '--dry-run', '--config', file)
 */
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const COPIED = ['schemas', 'deploy', 'package.json'];

/** @returns `folder`, with a package as npm would install it, but for its dependencies */
export function buildProgram(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const words = ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')];
  const emitted = ['--declaration', 'false', '--sourceMap', 'false'];
  execFileSync('node_modules/.bin/tsc', [...words, ...emitted], { stdio: 'pipe' });
  cpSync('src/pages/assets', join(folder, 'dist/pages/assets'), { recursive: true });
  for (const part of COPIED) cpSync(part, join(folder, part), { recursive: true });
  return folder;
}

export interface NextRelease {
  /** The SQL of its migration. */
  readonly adds: string;
  /** Takes away what this many of the schemas before it need; none without it. */
  readonly leavesBehind?: number;
}

const NEXT_VERSION = '99.0.0';

/** @returns `folder`, with a program that knows one migration more than the one in `built` */
export function nextRelease(built: string, folder: string, { adds, leavesBehind }: NextRelease): string {
  cpSync(built, folder, { recursive: true });
  const migrations = join(folder, 'dist/storage/sqlite/migrations/migrate.js');
  if (leavesBehind !== undefined) {
    // The migrations that stand in the list itself are those that this version knows.
    replaceIn(migrations, /READABLE_FROM = \d+/, `READABLE_FROM = MIGRATIONS.length + ${leavesBehind}`);
  }
  appendFileSync(migrations, `\nMIGRATIONS.push(${JSON.stringify(adds)});\n`);
  replaceIn(join(folder, 'package.json'), /"version": "[^"]+"/, `"version": "${NEXT_VERSION}"`);
  return folder;
}

/** The main module of a program. */
export function mainOf(program: string): string {
  return join(program, 'dist/cli/main.js');
}

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of a program in a process of its own. */
export function run(main: string, ...words: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

function replaceIn(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!from.test(text)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}
