import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { knownSettings } from './leaf_settings.ts';

const page = readFileSync('docs/configure.md', 'utf8');

/** The rows of the table of settings: name and default as the page writes them. */
function documentedSettings(): { name: string; byDefault: unknown }[] {
  const [, section = ''] = page.split('\n## Settings\n');
  const [table = ''] = section.split('\n- **', 1);
  return [...table.matchAll(/^\| `([a-z_.]+)` \| (?:`(.*?)`|–) \|/gm)].map(([, name = '', written]) => ({
    name,
    byDefault: written === undefined ? undefined : parse(written),
  }));
}

test('every setting is documented with its default, and nothing that is none', () => {
  const known = knownSettings(JSON.parse(readFileSync('schemas/config.json', 'utf8')));
  expect(documentedSettings()).toEqual(known);
});

test('every variable that is documented is read, and the other way round', () => {
  const source = readFileSync('src/config/source.ts', 'utf8');
  const inPage = page.split('\n## Environment\n')[1]?.match(/MATRIX_2FA_[A-Z_]+/g);
  const inSource = source.match(/MATRIX_2FA_[A-Z_]+/g);
  expect(inPage).toEqual(inSource);
});
