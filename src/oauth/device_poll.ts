import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import type { Storage } from '../storage/storage.ts';
import { findGrant, noteDevicePoll, type OauthGrant } from '../storage/tables/oauth_grants.ts';
import { SECOND } from '../system/clock.ts';
import { hashToken } from '../system/token_hash.ts';
import type { GrantExchange } from './grant_exchange.ts';
import { OauthError } from './oauth_answer.ts';
import { requireField } from './oauth_form.ts';

/** RFC 8628, section 3.5: from now on a client that asks too soon waits so much longer. */
const STEP_MS = 5 * SECOND;

/** `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628, section 3.4). */
export class DevicePoll {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read' | 'commit'>;
      readonly exchange: Pick<GrantExchange, 'exchange'>;
    },
  ) {}

  /**
   * Unknown and over are alike, and so is another client's: clients poll on at `invalid_grant`.
   * @throws OauthError invalid_request, authorization_pending, slow_down, access_denied, expired_token, and as
   *   `GrantExchange.exchange`
   */
  async handle(request: ClientRequest, form: Form): Promise<Answer> {
    const idHash = hashToken(requireField(form, 'device_code'));
    const clientId = requireField(form, 'client_id');
    const [found] = await this.deps.storage.read(findGrant(idHash));
    if (found?.kind !== 'device' || found.clientId !== clientId || isOver(found)) throw expired();
    const polled = await this.deps.storage.commit([], noteDevicePoll(idHash, clientId, STEP_MS));
    if (!polled.won) throw new OauthError('slow_down', 'Wait five seconds longer between two requests.');
    if (found.state === 'pending')
      throw new OauthError('authorization_pending', 'The user has not decided yet.');
    if (found.state === 'denied') throw new OauthError('access_denied', 'The user has refused access.');
    return this.deps.exchange.exchange(request, found);
  }
}

/** A grant that was used says so after its time, too. */
function isOver({ state, expiresAt, now }: OauthGrant): boolean {
  return state !== 'used' && expiresAt <= now;
}

function expired(): OauthError {
  return new OauthError('expired_token', 'This code is unknown or has expired. Begin again.');
}
