import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { type ClaimedIdentity, claimsOf, readIdentity } from '../second_factor/claimed_identity.ts';
import { withoutAuth } from '../uia/presented_auth.ts';

/** A login request, read. */
export interface LoginBody {
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
 * Reads the body of `POST /login`.
 * @throws Refusal missing_param; bad_json where the fields of a password login name different users
 */
export function readLoginBody(body: JsonObject): LoginBody {
  const type = body.type;
  if (typeof type !== 'string') throw new Refusal('missing_param', { text: '`type` is missing.' });
  const password = type === PASSWORD_STAGE ? body.password : undefined;
  if (type === PASSWORD_STAGE && typeof password !== 'string') {
    throw new Refusal('missing_param', { text: '`password` is missing.' });
  }
  const claims = claimsOf(body);
  // Servers differ in which field they go by; no client names two people (spec/login.md, "Who is meant").
  if (type === PASSWORD_STAGE && claims.length > 1) {
    throw new Refusal('bad_json', { text: 'The fields that say who signs in name different users.' });
  }
  return {
    type,
    body: withoutAuth(body),
    password: typeof password === 'string' ? password : undefined,
    deviceId: wishedDevice(body),
    displayName: displayNameOf(body),
    identity: readIdentity(body),
  };
}

/** The device that a login or registration asks for; an empty one counts as absent. */
export function wishedDevice(body: JsonObject): string | undefined {
  const deviceId = body.device_id;
  if (deviceId === undefined || deviceId === null || deviceId === '') return undefined;
  if (typeof deviceId !== 'string') throw new Refusal('bad_json', { text: '`device_id` must be a string.' });
  return deviceId;
}

function displayNameOf({ initial_device_display_name: name }: JsonObject): string | undefined {
  return typeof name === 'string' ? name : undefined;
}
