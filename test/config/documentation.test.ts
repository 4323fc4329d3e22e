import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { SETTINGS, type SettingRow } from '../../src/config/settings.ts';
import { VARIABLES } from '../../src/config/source.ts';

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
  const rows: readonly SettingRow[] = SETTINGS;
  expect(documentedSettings()).toEqual(
    rows.map(({ path, default: byDefault }) => ({ name: path, byDefault })),
  );
});

test('every variable that is documented is read, and the other way round', () => {
  const inPage = page.split('\n## Environment\n')[1]?.match(/MATRIX_2FA_[A-Z_]+/g);
  expect(inPage).toEqual([...VARIABLES.keys()]);
});
