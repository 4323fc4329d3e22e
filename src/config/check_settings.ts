import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { isJsonObject } from '../matrix/wire.ts';
import { ConfigError } from './config.ts';
import { configSchema } from './config_schema.ts';
import { nearest } from './nearest.ts';
import type { Settings } from './settings.ts';
import type { ConfigSource, SettingPath } from './source.ts';

// `verbose` puts the schema beside an error: the known keys are read from it. `$ref` has siblings in 2020-12.
const validate = new Ajv2020({
  // It is our own: a test checks it against the meta-schema, so that no start has to.
  validateSchema: false,
  useDefaults: true,
  verbose: true,
  allErrors: false,
  allowUnionTypes: true,
})
  .addSchema(schemaFile('name.json'))
  .compile(configSchema());

function schemaFile(name: string): object {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8'));
}

/**
 * Checks the settings against the schema and fills in the defaults.
 *
 * @throws ConfigError that names the first setting that does not fit
 */
export function checkSettings(source: ConfigSource): Settings {
  const settings: unknown = structuredClone(source.settings);
  if (validate(settings)) return settings as Settings;
  throw describe(source, validate.errors ?? []);
}

/** Whether a setting, or one below it, is written: a default is not. */
export function isWritten(settings: unknown, [name = '', ...rest]: SettingPath): boolean {
  if (!isJsonObject(settings) || !(name in settings)) return false;
  return rest.length === 0 || isWritten(settings[name], rest);
}

function describe(source: ConfigSource, errors: readonly ErrorObject[]): ConfigError {
  // A failing anyOf reports its branches first and itself last; all of them stand at the same setting.
  // A failing `if` tells less than what failed in it.
  const error = errors.findLast(({ keyword }) => keyword !== 'if');
  if (error === undefined) return new ConfigError(`${source.file}: is not usable`);
  const path = pathOf(error.instancePath);
  if (error.keyword === 'additionalProperties') {
    const unknown = String(error.params.additionalProperty);
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
    return new ConfigError(
      `${source.where([...path, unknown])}: there is no such setting${nearest(unknown, known)}`,
    );
  }
  return new ConfigError(`${source.where(path)}: ${wordsFor(error)}`);
}

function pathOf(pointer: string): SettingPath {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function wordsFor(error: ErrorObject): string {
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${error.params.allowedValues.join(', ')}`;
    case 'const':
      return `must be ${error.params.allowedValue}`;
    case 'required':
      return `needs ${error.params.missingProperty}`;
    case 'pattern':
      return error.schemaPath.includes('name.json')
        ? 'must be one line, without control characters'
        : `must match ${error.params.pattern}`;
    case 'anyOf':
      return 'must be a duration such as 30s, 5m, 2h, 7d or seconds';
    default:
      return error.message ?? 'is not usable';
  }
}
