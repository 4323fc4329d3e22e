import type { Answer } from '../http/answer.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import { SharedLimit } from '../limits/shared_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import { parseUnrepeatedJson } from '../matrix/strict_json.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { registerClient } from '../storage/tables/oauth_clients.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import { OauthError, oauthAnswer } from './oauth_answer.ts';
import { readBytes } from './oauth_form.ts';
import { clientIdOf, DEVICE_GRANT, registeredMetadata } from './registered_client.ts';

const KIB = 1024;
const LARGEST_REQUEST = 16 * KIB;
const LARGEST_ROW = 4 * KIB;

/** How often one address may register apps, at all processes together. */
export const REGISTRATIONS = { perSecond: 20 / (MINUTE / SECOND), burstCount: 20 };

/** `POST /_2fa/oauth2/register`: an app says what it is, and gets the id by which it asks for sign-ins (RFC 7591). */
export class Registration {
  private readonly limit: SharedLimit;
  private readonly grants: readonly string[];

  constructor(
    private readonly deps: { readonly storage: Pick<Storage, 'commit' | 'read'> },
    private readonly settings: { readonly maxClients: number; readonly deviceGrant: boolean },
  ) {
    this.limit = new SharedLimit(deps, 'oauth registration', REGISTRATIONS, 'address');
    const grants = ['authorization_code', 'refresh_token'];
    this.grants = settings.deviceGrant ? [...grants, DEVICE_GRANT] : grants;
  }

  /** @throws OauthError */
  async handle(request: ClientRequest): Promise<Answer> {
    await this.takeTurn(request.client);
    const registered = registeredMetadata(await readJson(request), this.grants);
    const metadata = JSON.stringify(registered);
    if (Buffer.byteLength(metadata) > LARGEST_ROW) {
      throw new OauthError('invalid_client_metadata', 'The metadata is too long.');
    }
    const clientId = clientIdOf(metadata);
    const createdAt = await this.keep(clientId, metadata);
    const issuedAt = Math.floor(createdAt / SECOND);
    return oauthAnswer({ client_id: clientId, client_id_issued_at: issuedAt, ...registered }, 201);
  }

  private async keep(clientId: string, metadata: string): Promise<number> {
    const { maxClients } = this.settings;
    const [, , kept] = await this.deps.storage.commit([], registerClient({ clientId, metadata }, maxClients));
    if (kept !== undefined) return kept.createdAt;
    throw new OauthError('temporarily_unavailable', 'No more clients can be registered now.', {
      retryAfterMs: MINUTE,
    });
  }

  /** Every registration counts: each may take a row. */
  private async takeTurn({ ip }: ClientAddress): Promise<void> {
    try {
      await this.limit.take(networkOf(ip));
    } catch (error) {
      if (!(error instanceof Refusal) || error.refusal !== 'limit_exceeded') throw error;
      throw new OauthError('temporarily_unavailable', 'Too many registrations came from this address.', {
        status: 429,
        outcome: error.outcome,
        retryAfterMs: error.retryAfterMs ?? MINUTE,
      });
    }
  }
}

async function readJson({ raw }: ClientRequest): Promise<JsonObject> {
  if (raw === undefined) throw new TypeError('the route is not raw');
  if (raw.contentType !== 'application/json') {
    throw new OauthError('invalid_request', 'The request must be JSON.');
  }
  const bytes = await readBytes(raw);
  if (bytes.length > LARGEST_REQUEST) {
    throw new OauthError('invalid_client_metadata', 'The metadata is too long.');
  }
  try {
    return parseUnrepeatedJson(bytes);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new OauthError('invalid_request', 'The request is not a JSON object that has each key once.');
  }
}
