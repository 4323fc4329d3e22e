import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const page = readFileSync('docs/architecture.md', 'utf8');

function named(pattern: RegExp): string[] {
  return [...new Set([...page.matchAll(pattern)].map(([, name = '']) => name))];
}

test('every file that docs/architecture.md names is there', () => {
  const files = named(/`([a-z_/]+\.(?:ts|md))`/g);
  expect(files.length).toBeGreaterThan(20);
  // Those without a folder stand in the one that was named before them.
  const missing = files.filter(
    (file) => file.includes('/') && !existsSync(join('src', file)) && !existsSync(file),
  );
  expect(missing).toEqual([]);
});

test('every folder of src/ stands in docs/architecture.md', () => {
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !page.includes(`\`${name}/\``))).toEqual([]);
});

test('every rule of the design has its place in docs/architecture.md', () => {
  const rules = named(/^\| (R\d+) \|/gm);
  expect(rules).toEqual(Array.from({ length: 12 }, (_, index) => `R${index + 1}`));
});
