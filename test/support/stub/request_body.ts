import { isJsonObject, type JsonObject } from '../../../src/matrix/wire.ts';
import { BAD_JSON, type Exchange, refusal, StubRefusal } from './exchange.ts';
import type { JsonRules } from './personality.ts';

/** Fields that a homeserver whose keys fold (Go) finds under other spellings too. */
const FOLDED_FIELDS = [
  'type',
  'identifier',
  'user',
  'password',
  'auth',
  'session',
  'token',
  'device_id',
  'devices',
  'medium',
  'address',
  'username',
  'new_password',
  'logout_devices',
  'initial_device_display_name',
  'refresh_token',
  'inhibit_login',
  'master_key',
  'self_signing_key',
  'user_signing_key',
  'display_name',
];

/** The body, `auth` or `identifier` in it, and `identifier` in `auth`. */
const FOLDED_LEVELS = 3;

/** 2⁵³: beyond it an integer is not an exact number any more. */
const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER;

/**
 * The JSON object in a request body as this homeserver reads it; undefined if the body is empty.
 *
 * @throws StubRefusal
 */
export function readBody(exchange: Exchange, rules: JsonRules): JsonObject | undefined {
  const type = exchange.headers['content-type'] ?? '';
  if (rules.multipart !== 200 && type.startsWith('multipart/')) {
    throw new StubRefusal({ status: rules.multipart, body: '' });
  }
  if (exchange.bytes.length === 0) return undefined;

  const notJson = refusal({ status: 400, errcode: rules.notJson }, 'Content not JSON.');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(exchange.bytes));
  } catch {
    throw hasMarkOrTail(exchange.bytes) ? refusal({ status: 400, errcode: rules.markOrTail }) : notJson;
  }
  const seen = inspect(value);
  if (seen.depth > rules.maxDepth) throw notJson;
  if (seen.loneSurrogate && rules.loneSurrogate === 'refused') throw notJson;
  if (seen.overflow && rules.overflowingNumber === 'refused') throw notJson;
  if (!isJsonObject(value)) throw refusal(BAD_JSON, 'Content must be a JSON object.');
  return isTakenForEmpty(seen, rules) ? {} : folded(value, rules);
}

/** As `readBody`, with `{}` for an empty body only where `whenMissing` says so. */
export function bodyOrRefusal(exchange: Exchange, rules: JsonRules): JsonObject {
  const body = readBody(exchange, rules);
  if (body === undefined) throw refusal({ status: 400, errcode: rules.missing }, 'Content not JSON.');
  return body;
}

/** Whether it is sound JSON but for what stands before or behind it. */
function hasMarkOrTail(bytes: Buffer): boolean {
  const text = bytes.toString('utf8');
  const json = text.replace(/^\ufeff/, '').slice(0, text.lastIndexOf('}') + 1);
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

interface Seen {
  depth: number;
  loneSurrogate: boolean;
  fraction: boolean;
  hugeInteger: boolean;
  overflow: boolean;
}

function inspect(whole: unknown): Seen {
  const seen: Seen = { depth: 0, loneSurrogate: false, fraction: false, hugeInteger: false, overflow: false };
  const pending: { value: unknown; depth: number }[] = [{ value: whole, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') seen.loneSurrogate ||= !value.isWellFormed();
    if (typeof value === 'number') inspectNumber(value, seen);
    if (typeof value !== 'object' || value === null) continue;
    seen.depth = Math.max(seen.depth, depth);
    for (const [key, inner] of Object.entries(value)) {
      seen.loneSurrogate ||= !key.isWellFormed();
      pending.push({ value: inner, depth: depth + 1 });
    }
  }
  return seen;
}

function inspectNumber(value: number, seen: Seen): void {
  if (!Number.isFinite(value)) seen.overflow = true;
  else if (!Number.isInteger(value)) seen.fraction = true;
  else if (Math.abs(value) > LARGEST_INTEGER) seen.hugeInteger = true;
}

function isTakenForEmpty(seen: Seen, rules: JsonRules): boolean {
  return (
    (seen.fraction && rules.fraction === 'empty') ||
    (seen.hugeInteger && rules.hugeInteger === 'empty') ||
    (seen.overflow && rules.overflowingNumber === 'empty')
  );
}

function folded(value: JsonObject, rules: JsonRules): JsonObject {
  return rules.foldsKeys ? foldKeys(value, FOLDED_LEVELS) : value;
}

function foldKeys(value: JsonObject, levels: number): JsonObject {
  const result: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = FOLDED_FIELDS.find((field) => fold(field) === fold(key));
    result[name ?? key] = isJsonObject(inner) && levels > 1 ? foldKeys(inner, levels - 1) : inner;
  }
  return result;
}

/** Upper case first: it takes U+017F to S; U+212A needs lower case. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
