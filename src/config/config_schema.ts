import type { JsonObject } from '../matrix/wire.ts';
import { FACTOR_KINDS, POLICY_MODES, SECTIONS, SETTINGS, type SettingRow } from './settings.ts';

const HEAD = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://matrix-2fa-proxy.invalid/schemas/config.json',
  title: 'Configuration',
  description: 'The configuration file of matrix-2fa-proxy. Every setting has a default.',
};

const DURATION = {
  description: 'Seconds, or a whole number with `s`, `m`, `h` or `d`.',
  anyOf: [
    { type: 'string', pattern: '^[0-9]{1,9}[smhd]?$' },
    { type: 'integer', minimum: 0, maximum: 999_999_999 },
  ],
};

const GRACE = { type: ['string', 'integer'] };
const KINDS = { type: 'array', items: { enum: [...FACTOR_KINDS] } };
const MEMBERS = { type: 'array', items: { type: 'string' } };

/** A rule of the policy, with what stands beside it. */
function ruleWith(more: JsonObject): JsonObject {
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...more,
      policy: { enum: [...POLICY_MODES] },
      grace: GRACE,
      after_grace: { enum: ['enrol', 'block'] },
      factors: KINDS,
      recovery: {
        type: 'object',
        additionalProperties: false,
        properties: {
          codes: { enum: ['required', 'optional', 'off'] },
          codes_for_changes: { type: 'boolean' },
          account_recovery: { enum: ['allowed', 'forbidden'] },
        },
      },
      device_passwords: { enum: ['allowed', 'forbidden'] },
    },
  };
}

const TYPES: Readonly<Record<SettingRow['type'], JsonObject>> = {
  text: { type: 'string' },
  line: { type: 'string', $ref: 'name.json' },
  file: { type: 'string', minLength: 1 },
  duration: { $ref: '#/$defs/duration' },
  integer: { type: 'integer' },
  rate: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
  flag: { type: 'boolean' },
  texts: { type: 'array', items: { type: 'string' } },
  files: { type: 'array', items: { type: 'string', minLength: 1 } },
  choice: {},
  grace: GRACE,
  kinds: KINDS,
  rules: {
    type: 'object',
    additionalProperties: {
      type: ['string', 'object'],
      if: { type: 'string' },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
      then: { enum: [...POLICY_MODES] },
      else: ruleWith({}),
    },
  },
  administrators: ruleWith({ members: MEMBERS, detect: { type: 'boolean' } }),
  groups: {
    type: 'array',
    items: {
      ...ruleWith({
        name: { type: 'string', $ref: 'name.json', minLength: 1 },
        members: MEMBERS,
        members_file: { type: 'string', minLength: 1 },
      }),
      required: ['name'],
    },
  },
  holidays: {
    type: ['string', 'object', 'null'],
    if: { type: 'object' },
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
    then: {
      additionalProperties: false,
      required: ['file'],
      properties: { file: { type: 'string', minLength: 1 } },
    },
  },
};

/** The JSON Schema of the configuration file: `schemas/config.json`. */
export function configSchema(): JsonObject {
  return { ...HEAD, ...sectionSchema(''), $defs: { duration: DURATION } };
}

function sectionSchema(section: string): JsonObject {
  const names = namesIn(section);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(names.map((name) => [name, schemaAt(joined(section, name))])),
  };
}

function schemaAt(path: string): JsonObject {
  const row = SETTINGS.find((each) => each.path === path);
  if (row !== undefined) return settingSchema(row);
  const { doc = '', whole = false } = SECTIONS.find((each) => each.path === path) ?? {};
  const names = namesIn(path);
  return {
    description: doc,
    ...sectionSchema(path),
    // Such a section is written whole or not at all: defaults would complete one half with values that do not fit the
    // other.
    ...(whole ? { required: names, default: defaultsOf(path, names) } : { default: {} }),
  };
}

function settingSchema(row: SettingRow): JsonObject {
  const { type, choices, doc, min, max, maxLength, pattern } = row;
  const schema: JsonObject = { description: doc, ...TYPES[type] };
  if (choices !== undefined) schema.enum = [...choices];
  if (typeof min === 'number') schema.minimum = min;
  if (typeof max === 'number') schema.maximum = max;
  if (maxLength !== undefined) schema.maxLength = maxLength;
  if (pattern !== undefined) schema.pattern = pattern;
  const isPart = SECTIONS.some(({ path, whole }) => whole === true && row.path.startsWith(`${path}.`));
  if (row.default !== undefined && !isPart) schema.default = copied(row.default);
  return schema;
}

function defaultsOf(section: string, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.map((name) => {
      const row: SettingRow | undefined = SETTINGS.find(({ path }) => path === joined(section, name));
      return [name, copied(row?.default ?? '')];
    }),
  );
}

function copied(value: Exclude<SettingRow['default'], undefined>): JsonObject[string] {
  return typeof value === 'object' ? [...value] : value;
}

/** The names of settings and sections right below a section, in the order of the table. */
function namesIn(section: string): string[] {
  const before = section === '' ? '' : `${section}.`;
  const inside = SETTINGS.filter(({ path }) => path.startsWith(before));
  return [...new Set(inside.map(({ path }) => path.slice(before.length).split('.')[0] ?? ''))];
}

function joined(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`;
}
