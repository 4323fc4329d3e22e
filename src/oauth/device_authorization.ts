import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import { networkOf } from '../http/network.ts';
import type { Storage } from '../storage/storage.ts';
import { keepDeviceGrant } from '../storage/tables/oauth_grants.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Clients, RegisteredClient } from './clients.ts';
import type { DeviceGrants } from './device_grants.ts';
import { OauthError, oauthAnswer } from './oauth_answer.ts';
import { requireField } from './oauth_form.ts';
import { DEVICE_GRANT } from './registered_client.ts';
import { readScope } from './scope.ts';
import { newUserCode } from './user_code.ts';

const LIFE_MS = 10 * MINUTE;
const INTERVAL_MS = 5 * SECOND;
/** Grants that wait: of one network, and in all. */
const LIMITS = { perAddress: 20, inAll: 10_000 };
/** That a user code is in use already happens by chance once; three times in a row there are too many. */
const TRIES = 3;

/** `POST /_2fa/oauth2/device`: a device without a browser asks for a code that its user types elsewhere (RFC 8628). */
export class DeviceAuthorization {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit'>;
      readonly random: RandomSource;
      readonly clients: Pick<Clients, 'find'>;
      readonly devices: DeviceGrants;
    },
    private readonly publicBaseUrl: string,
  ) {}

  /** @throws OauthError invalid_request, invalid_client, unauthorized_client, invalid_scope, temporarily_unavailable */
  async handle({ client: { ip } }: ClientRequest, form: Form): Promise<Answer> {
    const client = await this.requireClient(requireField(form, 'client_id'));
    const scope = readScope(form.get('scope') ?? '');
    if (scope === undefined)
      throw new OauthError('invalid_scope', 'The scope must name the API and one device.');
    const { granted, deviceId } = scope;
    const asked = { clientId: client.clientId, scope: granted, deviceId, askedFrom: networkOf(ip) };
    for (let tries = 0; tries < TRIES; tries += 1) {
      const deviceCode = randomId(this.deps.random, 256);
      const userCode = newUserCode(this.deps.random);
      const grant = {
        ...asked,
        idHash: hashToken(deviceCode),
        userCodeHash: this.deps.devices.hashOf(userCode),
        intervalMs: INTERVAL_MS,
      };
      const [, kept] = await this.deps.storage.commit([], keepDeviceGrant(grant, LIFE_MS, LIMITS));
      if (kept !== undefined) return this.answer(deviceCode, userCode);
    }
    throw new OauthError('temporarily_unavailable', 'Too many devices wait for their users.', {
      retryAfterMs: MINUTE,
      outcome: { is: 'limited', reason: 'address' },
    });
  }

  private async requireClient(clientId: string): Promise<RegisteredClient> {
    const client = await this.deps.clients.find(clientId);
    if (client === undefined) throw new OauthError('invalid_client', 'This client is not registered.');
    if (!client.grantTypes.includes(DEVICE_GRANT))
      throw new OauthError('unauthorized_client', 'This client did not register the device grant.');
    return client;
  }

  /** Without `verification_uri_complete`: a link that brings the code along is what a phisher sends. */
  private answer(deviceCode: string, userCode: string): Answer {
    return oauthAnswer({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: `${this.publicBaseUrl}/_2fa/link`,
      expires_in: LIFE_MS / SECOND,
      interval: INTERVAL_MS / SECOND,
    });
  }
}
