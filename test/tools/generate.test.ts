import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { factorSchemas } from '../../tools/generate/factor_schemas.ts';

test.each(factorSchemas().map(({ file, content }) => [file, content] as const))(
  '%s is what npm run generate writes',
  (file, content) => {
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(content);
  },
);

test('every factor has a schema for its stage', () => {
  expect(factorSchemas().map(({ file }) => file)).toEqual([
    'schemas/auth.json',
    'schemas/stage_totp.json',
    'schemas/stage_recovery.json',
  ]);
});
