import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { isJsonObject, type Json, OWN_PROVIDER, SSO_STAGE, UNNAMED_PROVIDER } from '../../matrix/wire.ts';

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

/** Those beside the forms of a page on which someone signs in. */
export class OfferedProviders {
  constructor(
    private readonly homeserver: Homeserver,
    /** Whether browsers are led through the homeserver's own single sign-on. */
    private readonly areOffered: boolean,
  ) {}

  async beside(request: ClientRequest): Promise<readonly OfferedProvider[]> {
    return this.areOffered ? offeredProviders(this.homeserver, request) : [];
  }
}

/** The providers for an account that has no password: where the homeserver names none, the one way that it has. */
export async function providersForApproval(
  homeserver: Homeserver,
  request: ClientRequest,
): Promise<readonly OfferedProvider[]> {
  const offered = await offeredProviders(homeserver, request);
  return offered.length > 0 ? offered : [{ id: UNNAMED_PROVIDER, name: '' }];
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
