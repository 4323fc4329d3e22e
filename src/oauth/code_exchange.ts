import { createHash } from 'node:crypto';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import type { Storage } from '../storage/storage.ts';
import { findGrant, type OauthGrant } from '../storage/tables/oauth_grants.ts';
import { hashToken } from '../system/token_hash.ts';
import { invalidGrant } from './grant_errors.ts';
import type { GrantExchange } from './grant_exchange.ts';
import { requireField } from './oauth_form.ts';

/** What a client brings with its code. */
interface Brought {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly verifier: string;
}

/** `grant_type=authorization_code` (RFC 6749, section 4.1.3; RFC 7636, section 4.6). */
export class CodeExchange {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read'>;
      readonly exchange: GrantExchange;
    },
  ) {}

  /** @throws OauthError invalid_request, invalid_grant, and as `GrantExchange.exchange` */
  async handle(request: ClientRequest, form: Form): Promise<Answer> {
    const code = requireField(form, 'code');
    const brought = {
      redirectUri: requireField(form, 'redirect_uri'),
      clientId: requireField(form, 'client_id'),
      verifier: requireField(form, 'code_verifier'),
    };
    const [found] = await this.deps.storage.read(findGrant(hashToken(code)));
    // Someone who sees a code in an address must not be able to spoil it: what does not fit changes nothing.
    if (found === undefined || !fits(found, brought)) {
      throw invalidGrant();
    }
    return this.deps.exchange.exchange(request, found);
  }
}

function fits(found: OauthGrant, { clientId, redirectUri, verifier }: Brought): boolean {
  return (
    found.kind === 'code' &&
    found.clientId === clientId &&
    found.redirectUri === redirectUri &&
    found.challenge === createHash('sha256').update(verifier).digest('base64url')
  );
}
