import type { JsonObject } from '../../src/matrix/wire.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import type { HttpAnswer } from '../support/http.ts';
import type { ProbedHomeserver, ProbeUser } from './probe.ts';

/** A guarded endpoint as a probe calls it. */
export interface GuardedCall {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly body: JsonObject;
  /** What must have happened before the endpoint asks for authentication. */
  readonly prepare?: (homeserver: ProbedHomeserver, user: ProbeUser) => Promise<unknown>;
}

export const DELETE_DEVICES: GuardedCall = {
  name: 'delete_devices',
  method: 'POST',
  target: '/_matrix/client/v3/delete_devices',
  body: { devices: ['0123456789ABCDEF01234567'] },
};

export const DELETE_DEVICE: GuardedCall = {
  name: 'DELETE devices/{id}',
  method: 'DELETE',
  target: '/_matrix/client/v3/devices/NOWHERE',
  body: {},
};

export const PASSWORD: GuardedCall = {
  name: 'account/password',
  method: 'POST',
  target: '/_matrix/client/v3/account/password',
  body: { new_password: 'another long password', logout_devices: false },
};

export const DEACTIVATE: GuardedCall = {
  name: 'account/deactivate',
  method: 'POST',
  target: '/_matrix/client/v3/account/deactivate',
  body: {},
};

export const DEVICE_SIGNING: GuardedCall = {
  name: 'device_signing/upload',
  method: 'POST',
  target: '/_matrix/client/v3/keys/device_signing/upload',
  body: { ...makeCrossSigningKeys('@nobody:localhost') },
  prepare: (homeserver, user) =>
    uploadSigningKeys(homeserver, user, { ...makeCrossSigningKeys(user.userId) }),
};

export const GET_TOKEN: GuardedCall = {
  name: 'login/get_token',
  method: 'POST',
  target: '/_matrix/client/v1/login/get_token',
  body: {},
};

export const THREEPID_ADD: GuardedCall = {
  name: '3pid/add',
  method: 'POST',
  target: '/_matrix/client/v3/account/3pid/add',
  body: { client_secret: 'secret', sid: '1' },
};

/** One call of a guarded endpoint; `auth` undefined sends none. */
export async function guarded(
  homeserver: ProbedHomeserver,
  call: GuardedCall,
  user: ProbeUser,
  auth?: JsonObject[string],
  more: JsonObject = {},
): Promise<HttpAnswer> {
  const body = call === DEVICE_SIGNING ? { ...makeCrossSigningKeys(user.userId) } : call.body;
  const { method, target } = call;
  return homeserver.call({ method, target, token: user.token, json: { ...body, ...more, auth } });
}

export async function uploadSigningKeys(
  homeserver: ProbedHomeserver,
  user: ProbeUser,
  json: JsonObject,
): Promise<HttpAnswer> {
  return homeserver.call({ target: DEVICE_SIGNING.target, token: user.token, json });
}

/** A one-shot password stage with the full user id. */
export function passwordAuth(userId: string, password: string, more: JsonObject = {}): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password, ...more };
}
