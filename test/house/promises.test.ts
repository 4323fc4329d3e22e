import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const OXLINT = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin/oxlint');

/** What the linter says about a file that has these lines: line and rule. */
function lint(lines: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: resolve('tsconfig.json'), include: ['.'] }),
    );
    const file = join(folder, 'planted.ts');
    writeFileSync(file, lines.join('\n'));
    const { stdout } = spawnSync(
      process.execPath,
      [OXLINT, '--config', resolve('.oxlintrc.json'), '--format', 'unix', file],
      { encoding: 'utf8' },
    );
    return [...stdout.matchAll(/planted\.ts:(\d+):.*typescript\((.+)\)\]$/gm)].map(
      ([, line, rule]) => `${line} ${rule}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('attack 116: the linter finds promises whose failure would reach the process', () => {
  const found = lint([
    "import { setTimeout as later } from 'node:timers/promises';",
    "import { createServer } from 'node:http';",
    `import type { Storage } from '${resolve('src/storage/storage.ts')}';`,
    'export async function planted(storage: Storage): Promise<void> {',
    '  storage.check();',
    '  later(5);',
    '  storage.check().then(() => 1);',
    '  [1, 2].map(async (x) => x);',
    '  setInterval(async () => later(5), 5);',
    "  createServer().on('close', async () => later(5));",
    "  if (storage.check()) throw new Error('never');",
    '  await storage.check();',
    '}',
  ]);
  const floating = [5, 6, 7, 8].map((line) => `${line} no-floating-promises`);
  const misused = [9, 10, 11].map((line) => `${line} no-misused-promises`);
  expect(found.sort()).toEqual([...floating, ...misused].sort());
});

test('attack 116: npm run check asks that linter', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { check: string } };
  expect(manifest.scripts.check.split(' && ')).toContain('oxlint');
});
