import type { ClientAddress } from '../http/client_request.ts';
import type { CallHomeserver } from './homeserver.ts';

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
