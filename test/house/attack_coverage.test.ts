import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const TESTS = 'test';
const list = readFileSync(join(TESTS, 'attacks.md'), 'utf8');

function numbersIn(text: string, pattern: RegExp): number[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => Number(match[1])))].sort((a, b) => a - b);
}

/** The numbers in the names of all tests. */
function tested(): number[] {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const sources = files
    .filter((file) => !file.endsWith('attack_coverage.test.ts'))
    .map((file) => readFileSync(join(TESTS, file), 'utf8'));
  return numbersIn(sources.join('\n'), /['"`]attack (\d+):/g);
}

const listed = numbersIn(list, /^(\d+)\. /gm);
const waiting = numbersIn(list, /^- (\d+): .+\.$/gm);
/** Lines that get their tests one by one just now. */
const [, firstInWork = Number.POSITIVE_INFINITY, lastInWork = 0] =
  /^- (\d+)–(\d+): .+\.$/m.exec(list)?.map(Number) ?? [];

test('the list has every number once, in order, and all of the first 115', () => {
  expect([...list.matchAll(/^(\d+)\. /gm)].map((match) => Number(match[1]))).toEqual(listed);
  expect(listed.slice(0, 115)).toEqual(Array.from({ length: 115 }, (_, index) => index + 1));
});

test('every line of attacks.md has a test, or waits for a reason that stands there', () => {
  const done = new Set(tested());
  const untested = listed.filter((number) => !done.has(number));
  expect(untested.filter((number) => number < firstInWork || number > lastInWork)).toEqual(waiting);
});

test('no test is named after a line that is not listed', () => {
  expect(tested().filter((number) => !listed.includes(number))).toEqual([]);
});
