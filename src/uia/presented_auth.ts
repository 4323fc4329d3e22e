import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';

/** The `auth` of a request in one form. */
export interface PresentedAuth {
  readonly type: string | undefined;
  readonly session: string | undefined;
  /** The whole object, for the fields of the stage. */
  readonly fields: JsonObject;
}

/**
 * Reads `auth` as clients send it (spec/stages.md, "The `auth` object"): absent, `null` and `{}` mean that nothing
 * is attempted, `session: null` is absent.
 * @throws Refusal bad_json if it, its type or its session is of another kind (attack 20).
 */
export function presentedAuth(body: JsonObject): PresentedAuth | undefined {
  const auth = body.auth;
  if (auth === undefined || auth === null) return undefined;
  if (!isJsonObject(auth)) throw new Refusal('bad_json', { text: '`auth` must be an object.' });
  const type = textOrNothing(auth, 'type');
  const session = textOrNothing(auth, 'session');
  if (Object.keys(auth).every((key) => auth[key] === null)) return undefined;
  return { type, session, fields: auth };
}

function textOrNothing(auth: JsonObject, key: string): string | undefined {
  const value = auth[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Refusal('bad_json', { text: `\`auth.${key}\` must be a string.` });
  return value;
}

/** The body without `auth`: what a session is bound to and what goes upstream. */
export function withoutAuth(body: JsonObject): JsonObject {
  const { auth: _auth, ...rest } = body;
  return rest;
}
