import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkSettings } from '../../src/config/check_settings.ts';
import { configSchema } from '../../src/config/config_schema.ts';
import { isJsonObject } from '../../src/matrix/wire.ts';

test('the schema of the configuration is a sound JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  expect({ sound: ajv.validateSchema(configSchema()), errors: ajv.errors }).toEqual({
    sound: true,
    errors: null,
  });
});

test('what is left out of a configuration has the defaults of the schema, whatever else is written', () => {
  const name = JSON.parse(readFileSync(new URL('../../schemas/name.json', import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ useDefaults: true, allowUnionTypes: true });
  const defaults: Record<string, unknown> = {};
  ajv.addSchema(name).compile(configSchema())(defaults);
  const sections = Object.keys(defaults).filter((each) => isJsonObject(defaults[each]));
  expect(sections.length).toBeGreaterThan(15);
  for (const settings of [{}, ...sections.map((each) => ({ [each]: {} }))]) {
    expect(checkSettings({ file: 'config.yaml', settings, where: () => '' })).toEqual(defaults);
  }
});
