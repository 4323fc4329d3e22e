import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { requireCaller } from '../interactive/token_owner.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../schema/registry.ts';
import type { AccountParts } from './account_parts.ts';

/**
 * `PUT …/org.matrix.2fa/authenticators/{authenticatorId}`: what the user calls one of his authenticators. The access
 * token is enough: a name lets nobody in and keeps nobody out, and it is on record.
 */
export class AuthenticatorNames {
  constructor(private readonly parts: Pick<AccountParts, 'audit' | 'homeserver' | 'store'>) {}

  /** @throws Refusal unknown_authenticator */
  async rename(request: ClientRequest): Promise<Answer> {
    const { name } = requireShape('authenticator_name_request', request.body ?? {});
    const { userId, deviceId } = (await requireCaller(this.parts.homeserver, request)).owner;
    const authenticator = request.params.authenticatorId ?? '';
    if (!(await this.parts.store.renameAuthenticator(userId, authenticator, name))) {
      throw new Refusal('unknown_authenticator');
    }
    await this.parts.audit.record({
      userId,
      event: 'totp.renamed',
      address: request.client.ip,
      deviceId,
      detail: { authenticator },
    });
    return { status: 200, body: {} };
  }
}
