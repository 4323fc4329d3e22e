import { isAscii, isUtf8, transcode } from 'node:buffer';
import { Refusal } from './refusals.ts';
import { isJsonObject, type Json, type JsonObject } from './wire.ts';

/** No gated endpoint has deeper bodies; the bound keeps the recursion below within the stack. */
const MAX_DEPTH = 64;

/** No client sends more: a list of all devices has some thousand. Bounds what a body of 1 MiB costs (attack 122). */
const MAX_VALUES = 10_000;

/** Objects on gated endpoints have a few names each; reading and sorting many takes longer than other values. */
const MAX_NAMES = 1000;
/** User ids and key ids are shorter. In bytes. */
const MAX_NAME_LENGTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The JSON object in `bytes`, read so strictly that every homeserver reads our serialisation of it alike (rule R2):
 * sound UTF-8 without byte order mark, no lone surrogates, integers within ±2^53 only (tuwunel takes a body with any
 * other number for empty), at most 64 levels and 10,000 values and 1,000
 * names of at most 512 bytes. Of a repeated key the last value counts, as homeservers have it. `__proto__`
 * and keys that only fold to a key that homeservers know are dropped at every level.
 *
 * @throws Refusal `not_json` if the bytes are not JSON, `bad_json` if they are but may not be used, `too_large` if
 *   there are too many values in it.
 */
export function parseStrictJson(bytes: Uint8Array): JsonObject {
  refuseOversized(bytes);
  const value = requireObject(parse(decode(bytes)));
  sift(value);
  return value;
}

/**
 * The same for bodies that no homeserver reads: one with a repeated key is refused, however the key is spelt (RFC 8259,
 * section 4: what is made of it is "unpredictable").
 *
 * @throws Refusal as `parseStrictJson`
 */
export function parseUnrepeatedJson(bytes: Uint8Array): JsonObject {
  const names = refuseOversized(bytes);
  const value = requireObject(parse(decode(bytes)));
  if (namesIn(value) < names)
    throw new Refusal('bad_json', { text: 'A key of the request body is repeated.' });
  sift(value);
  return value;
}

function requireObject(value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Refusal('bad_json', { text: 'The request body must be a JSON object.' });
}

/** How many names are left of those that were read. */
function namesIn(value: Json | undefined): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + namesIn(each), 0);
  if (!isJsonObject(value)) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + 1 + namesIn(each), 0);
}

/**
 * Counts brackets and commas outside strings before anything recursive sees the body (attack 19).
 * @returns how many names there are, if it is JSON
 */
function refuseOversized(bytes: Uint8Array): number {
  let depth = 0;
  let values = 1;
  let names = 0;
  let stringLength = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = endOfString(bytes, at + 1);
      stringLength = end - at - 1;
      at = end;
    } else if (byte === 0x7b || byte === 0x5b) {
      values++;
      if (++depth > MAX_DEPTH)
        throw new Refusal('bad_json', { text: 'The request body is nested too deeply.' });
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    } else if (byte === COMMA) {
      values++;
    } else if (byte === COLON) {
      names++;
      if (names > MAX_NAMES || stringLength > MAX_NAME_LENGTH) throw new Refusal('too_large');
    }
    if (values > MAX_VALUES) throw new Refusal('too_large');
  }
  return names;
}

/** Where the string that begins at `start` has its closing quote; the end if it has none. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let quote = bytes.indexOf(QUOTE, start); quote !== -1; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let before = quote;
    while (before > start && bytes[before - 1] === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote;
  }
  return bytes.length;
}

function decode(bytes: Uint8Array): string {
  try {
    // Node's own decoder takes ten times as long for text that is not ASCII.
    if (!isUtf8(bytes)) return utf8.decode(bytes);
    if (isAscii(bytes))
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    return transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
  } catch (cause) {
    throw new Refusal('not_json', { text: 'The request body is not valid UTF-8.', cause });
  }
}

/** `JSON.parse` itself refuses a byte order mark. Its error repeats the body, so it is not kept as cause (rule R11). */
function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Refusal('not_json');
  }
}

/** Refuses what homeservers read differently from each other, and drops what none should read, in place. */
function sift(value: Json | undefined): void {
  if (typeof value === 'number') refuseInexact(value);
  else if (typeof value === 'string') refuseLoneSurrogates(value);
  else if (Array.isArray(value)) value.forEach(sift);
  else if (isJsonObject(value)) siftObject(value);
}

function siftObject(object: JsonObject): void {
  for (const key of Object.keys(object)) {
    if (key === '__proto__' || imitatesKnownKey(key)) {
      Reflect.deleteProperty(object, key);
      continue;
    }
    refuseLoneSurrogates(key);
    sift(object[key]);
  }
}

function refuseInexact(number: number): void {
  if (!Number.isSafeInteger(number)) {
    throw new Refusal('bad_json', { text: 'Numbers in the request body must be integers within ±2^53.' });
  }
}

function refuseLoneSurrogates(text: string): void {
  if (!text.isWellFormed()) {
    throw new Refusal('bad_json', { text: 'The request body holds half a surrogate pair.' });
  }
}

/** Every key that some homeserver reads in a gated body, at whatever level. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  // Sign-in and registration
  'type',
  'identifier',
  'user',
  'medium',
  'address',
  'country',
  'phone',
  'number',
  'password',
  'token',
  'device_id',
  'initial_device_display_name',
  'refresh_token',
  'username',
  'inhibit_login',
  'guest_access_token',
  // Authentication data
  'auth',
  'session',
  'response',
  'threepid_creds',
  'three_pid_creds',
  'sid',
  'client_secret',
  'id_server',
  'id_access_token',
  // What guarded endpoints are about
  'devices',
  'new_password',
  'logout_devices',
  'erase',
  'bind',
  'master_key',
  'self_signing_key',
  'user_signing_key',
]);

const FOLDED_KEYS: ReadonlySet<string> = new Set([...KNOWN_KEYS].map(fold));
/** Folding makes no text shorter: a longer key imitates none. */
const LONGEST_KEY = Math.max(...[...KNOWN_KEYS].map((key) => key.length));

/**
 * Whether no homeserver knows `key`, but it folds to a key that they know (case, U+017F, U+212A): Dendrite matches keys
 * so, and would read a device or a user that we did not see (R2, attack 14).
 */
function imitatesKnownKey(key: string): boolean {
  return key.length <= LONGEST_KEY && !KNOWN_KEYS.has(key) && FOLDED_KEYS.has(fold(key));
}

/** Upper case first: it turns U+017F into S; lower case then turns U+212A into k. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
