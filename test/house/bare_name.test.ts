import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { findIn, writtenFiles } from './written_files.ts';

const OPTIONS = '(?:\\s+-[-\\w=/]+)*';

/**
 * The program's name on the npm registry is not this project's: these fetch and run what is there under it. Allowed are
 * `npx --no -- matrix-2fa-proxy`, which fetches nothing, and the file of a release.
 */
const FETCHES = [
  new RegExp(`\\b(?:npx|bunx|npm exec|npm x|pnpm dlx|yarn dlx)${OPTIONS}\\s+matrix-2fa-proxy\\b`, 'g'),
  /\b(?:npm|pnpm|yarn|bun)\s+(?:i|install|add|ci|update)\b[^\n`'";|&]*\s(?:npm:)?matrix-2fa-proxy(?:@\S+)?(?=[\s`'";]|$)/g,
];

/** `--no` keeps npx from fetching anything. */
function fetching(file: { file: string; text: string }): string[] {
  return FETCHES.flatMap((pattern) => findIn(file, pattern)).filter((found) => !/\s--no\s/.test(found));
}

test('no text and no output has npm run or install the bare name', () => {
  const files = writtenFiles().filter(({ file }) => !file.endsWith('bare_name.test.ts'));
  const scripts = ['.ci/run', 'package.json'].map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  expect([...files, ...scripts].flatMap(fetching)).toEqual([]);
});

test.each([
  ['npx matrix-2fa-proxy serve', 1],
  ['npx --yes matrix-2fa-proxy serve', 1],
  ['npx -- matrix-2fa-proxy serve', 1],
  ['npm exec matrix-2fa-proxy', 1],
  ['npm i -g matrix-2fa-proxy', 1],
  ['npm install --prefix /opt/matrix-2fa-proxy matrix-2fa-proxy@1', 1],
  ['npx --no -- matrix-2fa-proxy serve', 0],
  ['npm i --prefix /opt/matrix-2fa-proxy --omit=dev ./matrix-2fa-proxy-<version>.tgz', 0],
  ['npm rebuild --prefix /opt/matrix-2fa-proxy better-sqlite3', 0],
])('%s: %i', (text, count) => {
  expect(fetching({ file: 'a page', text })).toHaveLength(count);
});
