import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { isJsonObject, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { withoutAuth } from '../uia/presented_auth.ts';

/** A login request, read. */
export interface SignIn {
  readonly type: string;
  /** The body without `auth`. */
  readonly body: JsonObject;
  /** The password as sent; undefined for other login types. */
  readonly password: string | undefined;
  readonly deviceId: string | undefined;
  readonly displayName: string | undefined;
  readonly identity: ClaimedIdentity;
}

/**
 * Whom a login claims to be. A hint (R5) and a key for joining (R12), never what the gate decides by (R1).
 */
export interface ClaimedIdentity {
  /** Folded local parts of every field that a homeserver could read a user from. */
  readonly foldedNames: readonly string[];
  /** False where anybody may be meant: a third-party identifier, or none at all. */
  readonly named: boolean;
  /** Equal for equal identifiers only. */
  readonly exact: string;
  /** Equal for all spellings of one name. */
  readonly folded: string;
}

/**
 * Reads the body of `POST /login`.
 * @throws Refusal bad_json, missing_param
 */
export function readSignIn(body: JsonObject): SignIn {
  const type = body.type;
  if (typeof type !== 'string') throw new Refusal('missing_param', { text: '`type` is missing.' });
  const password = type === PASSWORD_STAGE ? body.password : undefined;
  if (type === PASSWORD_STAGE && typeof password !== 'string') {
    throw new Refusal('missing_param', { text: '`password` is missing.' });
  }
  return {
    type,
    body: withoutAuth(body),
    password: typeof password === 'string' ? password : undefined,
    deviceId: wishedDevice(body),
    displayName: textOf(body, 'initial_device_display_name'),
    identity: readIdentity(body),
  };
}

/** The device that a login or registration asks for; an empty one is none. */
export function wishedDevice(body: JsonObject): string | undefined {
  const deviceId = body.device_id;
  if (deviceId === undefined || deviceId === null || deviceId === '') return undefined;
  if (typeof deviceId !== 'string') throw new Refusal('bad_json', { text: '`device_id` must be a string.' });
  return deviceId;
}

/** The claim that the identity fields of a login body make (HOMESERVERS §3: servers differ in which they read). */
export function readIdentity(body: JsonObject): ClaimedIdentity {
  const identifier = isJsonObject(body.identifier) ? body.identifier : undefined;
  const names = [textOf(body, 'user'), identifier && textOf(identifier, 'user')].filter(
    (name): name is string => name !== undefined,
  );
  const byName = identifier === undefined || identifier.type === 'm.id.user';
  const foldedNames = [...new Set(names.map(foldLocalpart))];
  const fields = {
    identifier: body.identifier ?? null,
    user: body.user ?? null,
    medium: body.medium ?? null,
    address: body.address ?? null,
  };
  return {
    foldedNames,
    named: byName && names.length > 0 && fields.medium === null && fields.address === null,
    exact: names.length === 1 && byName ? `name ${names[0]}` : JSON.stringify(fields),
    folded: byName ? `name ${foldedNames.join(' ')}` : JSON.stringify(fields).normalize('NFKC').toLowerCase(),
  };
}

function textOf(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}
