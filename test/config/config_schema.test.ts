import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { configSchema } from '../../src/config/config_schema.ts';

test('the schema of the configuration is a sound JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  expect({ sound: ajv.validateSchema(configSchema()), errors: ajv.errors }).toEqual({
    sound: true,
    errors: null,
  });
});
