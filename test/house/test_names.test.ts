import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from '@jest/globals';

const modules = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

/** Every test, as `folder/name`, whatever it runs in. */
const tests = [
  ...new Set(
    readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => file.replace(/(?:\.(?:property|integration|browser))?\.test\.ts$/, '')),
  ),
];

const described = [...readFileSync('test/README.md', 'utf8').matchAll(/^\| `([\w/]+)` \| \S/gm)].map(
  ([, name = '']) => name,
);

/** Whether a module of that name stands in the folder of `src/` that mirrors the test's, or below it. */
function hasModule(name: string): boolean {
  const [folder = ''] = name.split('/', 1);
  return modules.some(
    (module) => module === name || (module.startsWith(`${folder}/`) && basename(module) === basename(name)),
  );
}

test('a test bears the name of a module, or test/README.md says what it tests', () => {
  expect(tests.filter((name) => !hasModule(name) && !described.includes(name))).toEqual([]);
});

test('test/README.md describes no test that is not there', () => {
  expect(described.filter((name) => !tests.includes(name))).toEqual([]);
});

test('the suites that begin first or last are there', () => {
  const named: { first: string[]; last: string[] } = JSON.parse(
    readFileSync('test/support/suites_in_order.json', 'utf8'),
  );
  expect(named.first.length).toBeGreaterThan(0);
  expect([...named.first, ...named.last].filter((name) => !existsSync(name))).toEqual([]);
});
