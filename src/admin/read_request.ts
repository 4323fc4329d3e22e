import type { IncomingMessage } from 'node:http';
import { type BodyBudget, readBody } from '../http/body.ts';
import { headerValues } from '../http/headers.ts';
import { LONGEST_QUERY } from '../http/query.ts';
import { Refusal } from '../matrix/refusals.ts';
import { compileShape } from '../matrix/registry.ts';
import { parseStrictJson } from '../matrix/strict_json.ts';
import { NUL, parseUserId } from '../matrix/user_id.ts';
import type { Json, JsonObject } from '../matrix/wire.ts';
import { MINUTE } from '../system/clock.ts';
import type { AdminRoute, QueryParameter } from './routes.ts';

const LONGEST_USER_ID_BYTES = 255;
const KEY = /^[!-~]{1,255}$/;

const checks = new WeakMap<JsonObject, (value: unknown) => void>();

/** The one value of a header. @throws Refusal invalid_param if there are several */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const values = headerValues(request.rawHeaders, name);
  if (values.length > 1) throw new Refusal('invalid_param', { text: `There is more than one ${name}.` });
  return values[0];
}

/** @throws Refusal invalid_param */
export function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const key = headerOf(request, 'idempotency-key');
  if (key !== undefined && !KEY.test(key))
    throw new Refusal('invalid_param', {
      text: 'Idempotency-Key must have 1 to 255 visible ASCII characters.',
    });
  return key;
}

/** What stands for `{id}` in a path. @throws Refusal unknown_user if it should be a user id, and is not */
export function idIn(segment: string, { path }: AdminRoute): string {
  return path.startsWith('/users/') ? userIdIn(segment) : decoded(segment);
}

function userIdIn(segment: string): string {
  const userId = decoded(segment);
  const isId = parseUserId(userId) !== undefined && Buffer.byteLength(userId) <= LONGEST_USER_ID_BYTES;
  if (!isId) throw new Refusal('unknown_user');
  return userId;
}

/** Empty where it says nothing. */
function decoded(segment: string): string {
  try {
    const text = decodeURIComponent(segment);
    return text.includes(NUL) ? '' : text;
  } catch {
    return '';
  }
}

/**
 * The parameters of a query, with those that were left out as they are by default.
 * @throws Refusal bad_target, invalid_param, missing_param
 */
export function queryOf(search: string, { query }: AdminRoute): JsonObject {
  if (search.length > LONGEST_QUERY) throw new Refusal('bad_target');
  const given = new URLSearchParams(search);
  const read: Record<string, Json> = {};
  for (const name of given.keys()) {
    if (!Object.hasOwn(query, name))
      throw new Refusal('invalid_param', { text: 'The query has a parameter that is not known.' });
    if (given.getAll(name).length > 1)
      throw new Refusal('invalid_param', { text: `${name} is there twice.` });
  }
  for (const [name, parameter] of Object.entries(query)) {
    const value = givenOrUsual(name, given.get(name), parameter);
    if (value !== undefined) read[name] = value;
  }
  return read;
}

function givenOrUsual(name: string, text: string | null, parameter: QueryParameter): Json | undefined {
  const { schema, required } = parameter;
  if (text === null) {
    if (required) throw new Refusal('missing_param', { text: `${name} is missing.` });
    return schema.default;
  }
  const value = typed(text, schema.type);
  if (text.includes(NUL) || !isOfShape(value, schema)) {
    throw notAcceptable(name);
  }
  return value;
}

function notAcceptable(name: string): Refusal {
  return new Refusal('invalid_param', { text: `${name} is not acceptable.` });
}

function isOfShape(value: Json, schema: QueryParameter['schema']): boolean {
  try {
    checkOf(schema)(value);
    return true;
  } catch {
    return false;
  }
}

function typed(text: string, type: 'string' | 'integer' | 'boolean'): Json {
  if (type === 'integer' && /^[0-9]{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** The body as it came. @throws Refusal too_large, slow_body, bad_json */
export function bytesOf(request: IncomingMessage, route: AdminRoute, budget: BodyBudget): Promise<Buffer> {
  return readBody(request, { size: route.mostBytes, timeMs: MINUTE, budget });
}

/** What a JSON body says. @throws Refusal not_json, bad_json; invalid_param for a text that PostgreSQL does not take */
export function jsonIn(bytes: Buffer, { body }: AdminRoute): JsonObject {
  if (body === 'file') return {};
  const value = bytes.length === 0 ? {} : parseStrictJson(bytes);
  checkOf(body ?? NOTHING)(value);
  for (const [name, each] of Object.entries(value)) {
    if (typeof each === 'string' && each.includes(NUL)) throw notAcceptable(name);
  }
  return value;
}

const NOTHING = { type: 'object', additionalProperties: false };

function checkOf(schema: JsonObject): (value: unknown) => void {
  const check = checks.get(schema) ?? compileShape(schema);
  checks.set(schema, check);
  return check;
}
