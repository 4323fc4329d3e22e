import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND } from '../system/clock.ts';
import type { Asker, CallHomeserver } from './homeserver.ts';

/** A page waits for it: it is shown without a name rather than late. */
const PATIENCE_MS = 3 * SECOND;
/** Synapse takes no longer names; other homeservers take any. */
const LONGEST_NAME = 100;

/** What the owner of a token calls one of their devices; undefined if nothing, or if the homeserver did not say. */
export async function deviceName(
  call: CallHomeserver,
  { token, deviceId }: { readonly token: string; readonly deviceId: string },
  { client, signal }: Asker,
  patienceMs = PATIENCE_MS,
): Promise<string | undefined> {
  const patience = AbortSignal.timeout(patienceMs);
  try {
    const { status, json } = await call({
      method: 'GET',
      path: `/_matrix/client/v3/devices/${encodeURIComponent(deviceId)}`,
      token,
      client,
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
    });
    return status === 200 && json?.device_id === deviceId ? nameIn(json.display_name) : undefined;
  } catch (error) {
    if (error instanceof Refusal || patience.aborted) return undefined;
    throw error;
  }
}

function nameIn(name: unknown): string | undefined {
  const shown = typeof name === 'string' ? [...name.trim()].slice(0, LONGEST_NAME).join('') : '';
  return shown === '' ? undefined : shown;
}

/**
 * Gives a device the display name that its sign-in asked for (R12: a hold is made without one).
 *
 * @returns whether the homeserver took it
 * @throws Refusal homeserver_unreachable, homeserver_slow or homeserver_unclear
 */
export async function nameDevice(
  call: CallHomeserver,
  device: {
    readonly token: string;
    readonly deviceId: string;
    readonly name: string;
    readonly client: ClientAddress;
  },
): Promise<boolean> {
  const answer = await call({
    method: 'PUT',
    path: `/_matrix/client/v3/devices/${encodeURIComponent(device.deviceId)}`,
    token: device.token,
    body: { display_name: device.name },
    client: device.client,
  });
  return answer.status === 200;
}
