import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SSO_STAGE } from '../matrix/wire.ts';
import type { Pending } from './pending.ts';
import type { OwnedRequest } from './session_of_request.ts';

/** Under what a password is judged. */
export interface Asking {
  readonly request: Pick<ClientRequest, 'client'>;
  readonly caller: { readonly token: string; readonly owner: { readonly userId: string } };
}

/**
 * Whether what goes with the second factor is proven: single sign-on has said on our page who it is, or the homeserver
 * judges the password.
 * @throws Refusal as `isPassword`
 */
export async function isFirstProven(
  homeserver: Homeserver,
  owned: OwnedRequest,
  { session, password }: Pending,
): Promise<boolean> {
  return owned.first === 'provider'
    ? session.completed.includes(SSO_STAGE)
    : isPassword(homeserver, owned, password);
}

/**
 * Has the homeserver judge a password where the request itself does not bring it there (docs/security_model.md,
 * promise 3).
 * @throws Refusal no_password, oauth_session, limit_exceeded, homeserver_unclear, homeserver_unreachable,
 *   homeserver_slow
 */
export async function isPassword(
  homeserver: Homeserver,
  { request, caller }: Asking,
  password: string,
): Promise<boolean> {
  const judgement = await homeserver.judgePassword({
    token: caller.token,
    userId: caller.owner.userId,
    password,
    client: request.client,
  });
  switch (judgement.verdict) {
    case 'right':
      return true;
    case 'wrong':
      return false;
    case 'no_password':
      throw new Refusal('no_password');
    case 'oauth':
      throw new Refusal('oauth_session');
    case 'wait':
      throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: judgement.retryAfterMs });
  }
}
