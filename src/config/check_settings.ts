import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { ConfigError } from './config.ts';
import { configSchema } from './config_schema.ts';
import { nearest } from './nearest.ts';
import type { Settings } from './settings.ts';
import type { ConfigSource, SettingPath } from './source.ts';

const ROOT = configSchema();
const SECTIONS = ROOT.properties as Readonly<Record<string, JsonObject>>;

/**
 * The check of a configuration in which these sections are written. Compiling takes as long as loading half of the program,
 * and most sections are left out: their defaults need no check.
 */
function checkOf(written: JsonObject): ValidateFunction {
  // `verbose` puts the schema beside an error: the known keys are read from it. `$ref` has siblings in 2020-12.
  const ajv = new Ajv2020({
    // It is our own: a test checks it against the meta-schema, so that no start has to.
    validateSchema: false,
    useDefaults: true,
    verbose: true,
    allErrors: false,
    allowUnionTypes: true,
    // It runs once: making its code short takes longer than running what is not.
    code: { optimize: false },
  });
  const parts = Object.entries(SECTIONS).map(([name, schema]) => [name, name in written ? schema : true]);
  return ajv.addSchema(schemaFile('name.json')).compile({ ...ROOT, properties: Object.fromEntries(parts) });
}

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
  const validate = checkOf(isJsonObject(settings) ? settings : {});
  if (!validate(settings)) throw describe(source, validate.errors ?? []);
  return withDefaults(settings as JsonObject, ROOT) as unknown as Settings;
}

/** Fills in, as the check does in sections that are written, what is left out of an object and of those in it. */
function withDefaults(settings: JsonObject, { properties }: JsonObject): JsonObject {
  for (const [name, schema] of Object.entries((properties ?? {}) as Readonly<Record<string, JsonObject>>)) {
    if (settings[name] === undefined && schema.default !== undefined) {
      settings[name] = structuredClone(schema.default);
    }
    const inner = settings[name];
    if (isJsonObject(inner)) withDefaults(inner, schema);
  }
  return settings;
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
