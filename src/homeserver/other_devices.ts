import type { ClientAddress } from '../http/client_request.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import type { CallHomeserver, HomeserverAnswer } from './homeserver.ts';
import { passwordOf } from './judge_password.ts';
import { saysDone } from './relay.ts';

/** A login, its device and the password that its owner gave. */
export interface KeptLogin {
  readonly token: string;
  readonly userId: string;
  /** The device that stays. */
  readonly deviceId: string;
  readonly password: string;
  readonly client: ClientAddress;
}

/**
 * Signs out all devices of a user but one, as its owner would: by a list of the ids, never by an empty one, which some
 * homeservers take for all. False where the homeserver did not say that they are gone.
 * @throws Refusal if the homeserver does not answer
 */
export async function endOtherDevices(call: CallHomeserver, kept: KeptLogin): Promise<boolean> {
  const { token, client } = kept;
  const ids = await listDevices(call, kept);
  // A list without the own device of this login is not trusted.
  if (ids?.includes(kept.deviceId) !== true) return false;
  const devices = ids.filter((id) => id !== kept.deviceId);
  if (devices.length === 0) return true;
  const path = '/_matrix/client/v3/delete_devices';
  const deletion = (body: JsonObject) => call({ method: 'POST', path, token, body, client });
  const opening = await deletion({ devices });
  if (saysDone(opening)) return true;
  const session = opening.json?.session;
  if (opening.status !== 401) return false;
  const auth = { ...passwordOf(kept), ...(typeof session === 'string' && { session }) };
  return saysDone(await deletion({ devices, auth }));
}

/** How many devices a user has besides one. Undefined where the homeserver did not say. @throws Refusal if it does not answer */
export async function countOtherDevices(
  call: CallHomeserver,
  kept: Pick<KeptLogin, 'token' | 'deviceId' | 'client'>,
): Promise<number | undefined> {
  return (await listDevices(call, kept))?.filter((id) => id !== kept.deviceId).length;
}

/**
 * Whether a user has a device. The id is not sent to the homeserver: the app that asks for it has proven nothing yet.
 * Undefined where the homeserver did not say. @throws Refusal if it does not answer
 */
export async function hasDevice(
  call: CallHomeserver,
  asking: Pick<KeptLogin, 'token' | 'client'>,
  deviceId: string,
): Promise<boolean | undefined> {
  return (await listDevices(call, asking))?.includes(deviceId);
}

async function listDevices(
  call: CallHomeserver,
  { token, client }: Pick<KeptLogin, 'token' | 'client'>,
): Promise<string[] | undefined> {
  return idsIn(await call({ method: 'GET', path: '/_matrix/client/v3/devices', token, client }));
}

/** Undefined where the answer is not a list of devices. */
function idsIn({ status, json }: HomeserverAnswer): string[] | undefined {
  const devices = status === 200 ? json?.devices : undefined;
  if (!Array.isArray(devices)) return undefined;
  const ids = devices.map((device) => (isJsonObject(device) ? device.device_id : undefined));
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}
