import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { adminDescription } from '../../tools/generate/admin_description.ts';
import { answerTypes, typeOf } from '../../tools/generate/answer_types.ts';
import { factorSchemas } from '../../tools/generate/factor_schemas.ts';
import { settingsFiles } from '../../tools/generate/settings_files.ts';
import { textTable } from '../../tools/generate/text_table.ts';

const products = [
  ...factorSchemas(),
  ...settingsFiles(),
  ...answerTypes(),
  ...adminDescription(),
  ...textTable(),
];

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
    'schemas/stage_webauthn.json',
    'schemas/stage_recovery.json',
  ]);
});

test.each<[object, string]>([
  [{ type: 'integer', minimum: 0 }, 'number'],
  [{ type: ['integer', 'null'] }, 'number | null'],
  [{ enum: ['a', 'b'] }, "'a' | 'b'"],
  [{ const: 'a' }, "'a'"],
  [{ $ref: 'two_factor_state.json' }, 'TwoFactorState'],
  [{ type: 'array', items: { type: 'string' } }, 'string[]'],
  [{ type: 'object' }, 'Record<string, unknown>'],
  [
    {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'boolean' }, 'b.c': { type: 'string' }, d: false },
    },
    "{\n  a: boolean;\n  'b.c'?: string;\n}",
  ],
])('the type of %j', (schema, type) => {
  expect(typeOf(schema as JsonObject, '')).toBe(type);
});

test('a schema that it has no type for is not passed over', () => {
  expect(() => typeOf({ oneOf: [] }, '')).toThrow('there is no type for');
});
