import { isJsonObject, type Json, type JsonObject } from '../../src/matrix/wire.ts';

/** The names of all values in a configuration, e.g. `limits.per_address.burst_count`. */
export function namesIn(settings: Json, name = ''): string[] {
  if (!isJsonObject(settings)) return [name];
  return Object.entries(settings).flatMap(([key, value]) => namesIn(value ?? null, joined(name, key)));
}

/** A setting that a schema knows. */
export interface KnownSetting {
  readonly name: string;
  /** undefined where there is none. */
  readonly byDefault: Json | undefined;
}

/** All settings of `schemas/config.json` that take a value of their own. */
export function knownSettings(schema: JsonObject): KnownSetting[] {
  return settingsUnder(schema, schema, '', undefined);
}

function settingsUnder(
  root: JsonObject,
  at: JsonObject,
  name: string,
  byDefault: Json | undefined,
): KnownSetting[] {
  const { properties } = followed(root, at);
  if (!isJsonObject(properties)) return [{ name, byDefault }];
  return Object.entries(properties).flatMap(([key, inner]) => {
    if (!isJsonObject(inner)) return [];
    const ofParent = isJsonObject(byDefault) ? byDefault[key] : undefined;
    return settingsUnder(root, inner, joined(name, key), inner.default ?? ofParent);
  });
}

/** The schema that `$ref` leads to, or `at` itself. */
function followed(root: JsonObject, at: JsonObject): JsonObject {
  if (typeof at.$ref !== 'string') return at;
  const definition = at.$ref.replace('#/$defs/', '');
  const found = isJsonObject(root.$defs) ? root.$defs[definition] : undefined;
  return isJsonObject(found) ? found : at;
}

function joined(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}
