import { readDevicePassword } from '../matrix/device_password.ts';
import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import type { HomeserverAnswer } from './homeserver.ts';

/** Where bodies have passwords (client-server API): a login, a registration, a change of the password. */
const PASSWORD_FIELDS = ['password', 'new_password'] as const;
const WRONG: JsonObject = { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' };

/**
 * The last line before the homeserver: a device password is a secret of this program, and where it stands in place of the
 * account's password it is a wrong password that the homeserver never sees (spec/device_passwords.md).
 * @returns what the homeserver would answer to a wrong password; undefined where there is no device password
 */
export function refusedHere(body: JsonObject | undefined): HomeserverAnswer | undefined {
  if (body === undefined || ![body, body.auth].some(hasDevicePassword)) return undefined;
  return { status: 403, headers: {}, bytes: Buffer.from(JSON.stringify(WRONG)), json: WRONG };
}

function hasDevicePassword(object: Json | undefined): boolean {
  if (!isJsonObject(object)) return false;
  return PASSWORD_FIELDS.some((field) => readDevicePassword(object[field]) !== undefined);
}
