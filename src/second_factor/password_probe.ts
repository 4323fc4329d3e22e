import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { AwaitingJudge, OwnedRequest, OwnerAuthentication } from './owner_authentication.ts';

/** Has the homeserver judge a password where the request itself does not bring it there (promise 5). */
export class PasswordProbe {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly owners: OwnerAuthentication,
  ) {}

  /**
   * Undefined if the password is right, else the 401 for the client.
   * @throws Refusal no_password, oauth_session, limit_exceeded, homeserver_unclear
   */
  async judge(owned: OwnedRequest, awaiting: AwaitingJudge): Promise<Answer | undefined> {
    const { token, owner, request } = owned;
    const judgement = await this.homeserver.judgePassword({
      token,
      userId: owner.userId,
      password: awaiting.password,
      client: request.client,
    });
    switch (judgement.verdict) {
      case 'right':
        return undefined;
      case 'wrong':
        return this.owners.refused(awaiting);
      case 'no_password':
        throw new Refusal('no_password');
      case 'oauth':
        throw new Refusal('oauth_session');
      case 'wait':
        throw new Refusal('limit_exceeded', { retryAfterMs: judgement.retryAfterMs });
    }
  }
}
