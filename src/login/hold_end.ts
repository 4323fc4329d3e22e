import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { HeldLogin } from '../storage/stores.ts';

/**
 * What the end of a hold does to its device. A grant that stands on a device of the client's own choice may
 * share it with the owner: if the device had keys before, a logout would delete them (R5).
 */
export async function endOfHold(
  homeserver: Homeserver,
  granted: { readonly userId: string; readonly grant: Pick<Grant, 'accessToken'> },
  chosenDevice: string | undefined,
  client: ClientAddress,
): Promise<HeldLogin['atEnd']> {
  if (chosenDevice === undefined) return 'logout';
  try {
    const keys = await homeserver.publishedKeys(granted.grant.accessToken, granted.userId, { client });
    return keys.devices.has(chosenDevice) ? 'forget' : 'logout';
  } catch {
    // Not known: an idle session is the smaller harm than lost keys.
    return 'forget';
  }
}
