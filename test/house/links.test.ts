import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { headingsOf } from './written_files.ts';

const pages = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'test/README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

test.each(pages)('the links of %s lead somewhere', (page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)];
  const dead = links.filter(([, target = '', anchor]) => {
    const file = join(dirname(page), target);
    return !existsSync(file) || (anchor !== undefined && !headingsOf(file).has(anchor));
  });
  expect(dead.map(([link]) => link)).toEqual([]);
});

test('SECURITY.md is named by the README and part of the package', () => {
  expect(readFileSync('README.md', 'utf8')).toContain('](SECURITY.md)');
  expect(JSON.parse(readFileSync('package.json', 'utf8')).files).toContain('SECURITY.md');
});
