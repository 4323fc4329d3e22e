import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { findIn, type WrittenFile, writtenFiles } from './written_files.ts';

/** What ends a test that hangs (jest.config.js): long enough for a machine that is busy with other things. */
const [, PATIENCE = ''] = /\btestTimeout: ([\d_]+)/.exec(readFileSync('jest.config.js', 'utf8')) ?? [];
const LIMITS = [/^\s*\}, ([\d_]{4,})\);$/gm, /\bjest\.setTimeout\(([\d_]+)\)/g];
/** A limit of Playwright's own is half a minute. */
const IMPATIENT = /\bbrowser\.new(?:Context|Page)\(/g;
const PATIENT = 'test/support/browser.ts';
/** It fails on our pages unless it is so at the first look: `untilSo`. */
const BY_EVAL = /\.waitForFunction\(/g;
/** So many looks at what is to come, and no more: `until` looks as long as there is hope. */
const COUNTED =
  /\bfor \(let (\w+) = 0; \1 < \w+ && [^\n]*\)\s*\{?\s*(?:await )?(?:new Promise|pause|delay)\b/g;

function limitsIn({ file, text }: WrittenFile): string[] {
  return LIMITS.flatMap((pattern) => [...text.matchAll(pattern)])
    .filter(([, limit = '']) => milliseconds(limit) < milliseconds(PATIENCE))
    .map(([found]) => `${file}: ${found.trim()}`);
}

const milliseconds = (text: string) => Number(text.replaceAll('_', ''));

function faultsOf(given: WrittenFile): string[] {
  const { file } = given;
  return [
    ...limitsIn(given),
    ...(file === PATIENT ? [] : findIn(given, IMPATIENT)),
    ...findIn(given, BY_EVAL),
    ...findIn(given, COUNTED),
  ];
}

const files = writtenFiles().filter(
  ({ file }) => /^test\/.*\.ts$/.test(file) && file !== 'test/house/patience.test.ts',
);

test('no test fails because a machine is slow: it has the time of all, its pages have time, and what comes is waited for', () => {
  expect(milliseconds(PATIENCE)).toBeGreaterThanOrEqual(300_000);
  expect(files.flatMap(faultsOf)).toEqual([]);
});

test.each([
  ['a limit of its own', "test('it', () => {\n}, 60_000);"],
  ['one for a whole file', 'jest.setTimeout(120_000);'],
  ['a page with little time', 'const page = await browser.newPage();'],
  ['a look that is not repeated', "await page.waitForFunction('globalThis.hasAsked');"],
  ['a number of looks', 'for (let n = 0; n < 100 && !isSo(); n += 1) await pause(10);'],
  [
    'the same with a body',
    'for (let tries = 0; tries < 500 && !isSo(); tries += 1) {\n    await new Promise((resolve) => setTimeout(resolve, 10));',
  ],
])('%s is found', (_what, text) => {
  expect(faultsOf({ file: 'a test', text })).toHaveLength(1);
});
