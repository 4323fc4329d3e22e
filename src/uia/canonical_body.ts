import type { Json, JsonObject } from '../matrix/wire.ts';

/** `value` as JSON text that is the same for equal values: names in order, absent ones left out. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(inOrder(value));
}

/** The same value with its names in order; what has none stays as it is, as a list of 1 MiB takes a while to copy. */
function inOrder(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.some(isNested) ? value.map(inOrder) : value;
  const members = presentKeys(value).map((key): [string, Json] => [key, inOrder(value[key] ?? null)]);
  return Object.fromEntries(members);
}

function isNested(value: Json): boolean {
  return value !== null && typeof value === 'object';
}

/** Whether `body` is missing or says nothing: a request that carries `auth` alone. */
export function isEmptyBody(body: JsonObject | undefined): boolean {
  return body === undefined || presentKeys(body).length === 0;
}

/**
 * Whether everything that `later` says was said the same way in `first`. What it leaves out does not matter,
 * what it adds or changes makes it another request (attacks 31, 46).
 */
export function repeatsOnly(later: JsonObject, first: JsonObject): boolean {
  return presentKeys(later).every(
    (key) =>
      Object.hasOwn(first, key) && canonicalJson(later[key] ?? null) === canonicalJson(first[key] ?? null),
  );
}

function presentKeys(object: JsonObject): string[] {
  return Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort();
}
