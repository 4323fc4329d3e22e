import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const TESTS = 'test';
const list = readFileSync('test/attacks.md', 'utf8');

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
test('the list has every number once, in order', () => {
  const inOrder = [...list.matchAll(/^(\d+)\. /gm)].map((match) => Number(match[1]));
  // Some are left out: a number belongs to its line as soon as a test bears it.
  expect(inOrder).toEqual(listed);
});

test('every line of test/attacks.md has a test', () => {
  const done = new Set(tested());
  expect(listed.filter((number) => !done.has(number))).toEqual([]);
});

test('no test is named after a line that is not listed', () => {
  expect(tested().filter((number) => !listed.includes(number))).toEqual([]);
});
