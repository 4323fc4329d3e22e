import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { readDevicePassword } from '../matrix/device_password.ts';
import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import type { HomeserverAnswer, HomeserverCall } from './homeserver.ts';

/** Where bodies have passwords (client-server API): a login, a registration, a change of the password. */
const PASSWORD_FIELDS = ['password', 'new_password'] as const;
const WRONG: JsonObject = { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' };

/** A call as it is sent. @param tlsName of `tlsNameOf` */
export function sentRequest(call: HomeserverCall, tlsName: string | undefined): Dispatcher.DispatchOptions {
  const request: Dispatcher.DispatchOptions & { servername?: string } = {
    method: call.method,
    path: call.path,
    headers: headersOf(call),
    body: call.body === undefined ? null : JSON.stringify(call.body),
  };
  // Without this, undici would take the client's Host for the name in the homeserver's certificate.
  if (tlsName !== undefined) request.servername = tlsName;
  return request;
}

/** The name in the homeserver's certificate; undefined without TLS, or where it is an address. */
export function tlsNameOf(url: string): string | undefined {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && isDnsName(hostname) ? hostname : undefined;
}

/** All headers of a request: nothing that the client sent goes upstream but its Host (R2, attack 51). */
function headersOf(call: HomeserverCall): Record<string, string> {
  const headers: Record<string, string> = {
    'x-forwarded-for': call.client.ip,
    'x-forwarded-proto': call.client.proto,
  };
  if (call.client.host !== undefined) headers.host = call.client.host;
  if (call.client.record !== undefined) headers['x-request-id'] = call.client.record.id;
  if (call.token !== undefined) headers.authorization = `Bearer ${call.token}`;
  if (call.body !== undefined) headers['content-type'] = 'application/json';
  return headers;
}

function isDnsName(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
}

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
