import type { AnySchema, ErrorObject } from 'ajv/dist/2020.js';

/**
 * What was expected where, as one sentence for the author of a client. Built from the schema alone: no value
 * and no key that came from outside stands in it (R11).
 */
export function expectation(errors: readonly ErrorObject[], schema: AnySchema): string {
  const error = errors[0];
  if (error === undefined) return 'The request body does not have the expected shape.';
  return `${subject(error.instancePath)} ${demand(error, errors, schema)}.`;
}

function subject(instancePath: string): string {
  return instancePath === '' ? 'The request body' : `\`${instancePath.slice(1).replaceAll('/', '.')}\``;
}

function demand(error: ErrorObject, errors: readonly ErrorObject[], schema: AnySchema): string {
  switch (error.keyword) {
    case 'type':
      return `must be ${kinds(error.params.type)}`;
    case 'required':
      return `lacks ${missingKeys(error, errors)}`;
    case 'additionalProperties':
      return `has a key that is not known here; known are ${knownKeys(schema)}`;
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must not be longer than ${error.params.limit} characters`;
    case 'minItems':
      return 'must not be empty';
    default:
      return 'does not have the expected form';
  }
}

function kinds(types: string | readonly string[]): string {
  const articles: Record<string, string> = {
    object: 'an object',
    array: 'a list',
    integer: 'a whole number',
    boolean: 'true or false',
    string: 'a string',
    null: 'null',
  };
  return [types]
    .flat()
    .map((type) => articles[type] ?? type)
    .join(' or ');
}

/** Where one of several keys is enough, each branch of the choice reports its own as missing. */
function missingKeys(error: ErrorObject, errors: readonly ErrorObject[]): string {
  const alternatives = errors.filter(
    (other) => other.keyword === 'required' && other.instancePath === error.instancePath,
  );
  return alternatives.map((each) => `\`${each.params.missingProperty}\``).join(' or ');
}

function knownKeys(schema: AnySchema): string {
  const properties = typeof schema === 'object' ? Object.keys(schema.properties ?? {}) : [];
  return properties.map((key) => `\`${key}\``).join(', ');
}
