import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { isJsonObject, type Json, OWN_PROVIDER, SSO_STAGE } from '../../matrix/wire.ts';

/** An identity provider of the homeserver's own single sign-on. */
export interface OfferedProvider {
  readonly id: string;
  readonly name: string;
}

/**
 * The providers that the homeserver offers. None where it does not answer: the password will tell then.
 */
export async function offeredProviders(
  homeserver: Homeserver,
  { client, signal }: ClientRequest,
): Promise<readonly OfferedProvider[]> {
  try {
    const { status, json } = await homeserver.call({
      ...{ method: 'GET', path: '/_matrix/client/v3/login', client, signal, errand: 'essential' },
    });
    return status === 200 ? providersIn(json?.flows) : [];
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

function providersIn(flows: Json | undefined): readonly OfferedProvider[] {
  const found = (Array.isArray(flows) ? flows : []).filter(isJsonObject);
  const listed = found
    .filter(({ type }) => type === SSO_STAGE)
    .flatMap((flow) => flow.identity_providers ?? []);
  return listed
    .filter(isJsonObject)
    .flatMap(({ id, name }) =>
      typeof id === 'string' && typeof name === 'string' && id !== OWN_PROVIDER ? [{ id, name }] : [],
    );
}
