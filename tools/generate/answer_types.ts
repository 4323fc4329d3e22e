import { readFileSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject } from '../../src/matrix/wire.ts';
import type { Product } from './product.ts';

/** The answers that scripts of pages read, by their schemas. */
const ANSWERS = [
  'challenge',
  'device_password_answer',
  'device_passwords_answer',
  'empty_answer',
  'error',
  'history_answer',
  'page_session_answer',
  'recovery_codes_answer',
  'recovery_contacts_answer',
  'recovery_vote_answer',
  'recovery_state',
  'totp_confirm_answer',
  'totp_setup_answer',
  'two_factor_state',
  'webauthn_setup_answer',
  'well_known_client',
];

const HEAD = '/** What the server answers, for the scripts: written by npm run generate from schemas/. */\n';

const PLAIN: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** The types of the answers that scripts of pages read. */
export function answerTypes(): Product[] {
  const types = ANSWERS.map((name) => {
    const schema: unknown = JSON.parse(readFileSync(`schemas/${name}.json`, 'utf8'));
    if (!isJsonObject(schema)) throw new Error(`schemas/${name}.json is not an object`);
    return `\n/** ${String(schema.description)} */\nexport type ${nameOf(name)} = ${objectType(schema, '')};\n`;
  });
  return [{ file: 'src/pages/assets/answers.d.ts', content: HEAD + types.join('') }];
}

/** The type of what fits a schema, as far as its keys and kinds go. */
export function typeOf(schema: Json | undefined, indent: string): string {
  if (!isJsonObject(schema)) throw new Error(`there is no type for ${JSON.stringify(schema)}`);
  if (typeof schema.$ref === 'string') return nameOf(schema.$ref.replace(/\.json$/, ''));
  if (Array.isArray(schema.enum)) return schema.enum.map(literal).join(' | ');
  if (schema.const !== undefined) return literal(schema.const);
  const types = [schema.type].flat().map((type) => typeOfKind(String(type), schema, indent));
  return types.join(' | ');
}

function typeOfKind(kind: string, schema: JsonObject, indent: string): string {
  if (kind === 'object') return objectType(schema, indent);
  if (kind === 'array') return `${typeOf(schema.items, indent)}[]`;
  const plain = PLAIN[kind];
  if (plain === undefined) throw new Error(`there is no type for ${JSON.stringify(schema)}`);
  return plain;
}

function objectType({ properties = {}, required = [] }: JsonObject, indent: string): string {
  if (!isJsonObject(properties) || !Array.isArray(required)) throw new Error('not a schema of an object');
  const inner = `${indent}  `;
  const lines = Object.entries(properties)
    // What must not be there.
    .filter(([, schema]) => schema !== false)
    .map(([name, schema]) => {
      const optional = required.includes(name) ? '' : '?';
      return `${inner}${keyOf(name)}${optional}: ${typeOf(schema, inner)};\n`;
    });
  return lines.length === 0 ? 'Record<string, unknown>' : `{\n${lines.join('')}${indent}}`;
}

function literal(value: Json): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function keyOf(name: string): string {
  return /^\w+$/.test(name) ? name : `'${name}'`;
}

/** `two_factor_state` → `TwoFactorState` */
function nameOf(schema: string): string {
  if (schema === 'error') return 'ErrorAnswer';
  return schema.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
