import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { expectation } from './expectation.ts';
import { Refusal } from './refusals.ts';
import type { ShapeName, Shapes } from './shapes.ts';
import type { JsonObject } from './wire.ts';

/** The same from `src/matrix/` and from `dist/matrix/`. */
const FOLDER = new URL('../../schemas/', import.meta.url);

/** The configuration is checked by the code that reads it, with texts of its own. */
const NOT_ON_THE_WIRE = 'config.json';

const ajv = new Ajv2020({
  // Our own files: a test checks them against the meta-schema, so that no start has to.
  validateSchema: false,
  strict: true,
  strictRequired: false,
  strictTypes: false,
});

const idByName = new Map<string, string>();
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json') && name !== NOT_ON_THE_WIRE)) {
  const schema = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as AnySchemaObject & { $id: string };
  ajv.addSchema(schema);
  idByName.set(file.slice(0, -'.json'.length), schema.$id);
}

/**
 * The compiled check of a shape: true if a value has it, with what was wrong in `errors` otherwise.
 * Compiled at its first use and kept.
 */
export function validator<N extends ShapeName>(name: N): ValidateFunction<Shapes[N]> {
  const check = ajv.getSchema<Shapes[N]>(idByName.get(name) ?? name);
  if (check === undefined) throw new Error(`there is no schema of the name ${name}`);
  return check as ValidateFunction<Shapes[N]>;
}

/**
 * Answers `value` if it has the shape `name`.
 * @throws Refusal bad_json; its text names the place and what was expected, and never what came:
 *   that could be a password or a code (R11).
 */
export function requireShape<N extends ShapeName>(name: N, value: unknown): Shapes[N] {
  const check = validator(name);
  if (check(value)) return value;
  throw new Refusal('bad_json', { text: expectation(check.errors ?? [], check.schema) });
}

/** A check as `requireShape` makes it, of a schema that has no file: that of a factor which is not in the list. */
export function compileShape({ $id: _id, ...schema }: JsonObject): (value: unknown) => void {
  const check = ajv.compile(schema);
  return (value) => {
    if (!check(value)) throw new Refusal('bad_json', { text: expectation(check.errors ?? [], check.schema) });
  };
}
