import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { factorSchemas } from '../../tools/generate/factor_schemas.ts';
import { settingsFiles } from '../../tools/generate/settings_files.ts';

const products = [...factorSchemas(), ...settingsFiles()];

test.each(products.map(({ file, content }) => [file, content] as const))(
  '%s is what npm run generate writes',
  (file, content) => {
    const committed = readFileSync(file, 'utf8');
    expect(typeof content === 'string' ? committed : JSON.parse(committed)).toEqual(content);
  },
);

test('every factor has a schema for its stage', () => {
  expect(factorSchemas().map(({ file }) => file)).toEqual([
    'schemas/auth.json',
    'schemas/stage_totp.json',
    'schemas/stage_recovery.json',
  ]);
});
