import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { type JsonObject, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Passes } from '../second_factor/passes.ts';
import { withoutAuth } from '../uia/presented_auth.ts';
import type { LoneLogin } from './lone_login.ts';
import type { SecondLogin } from './second_login.ts';

/** Redeems the login tokens of our own pages. The homeserver never sees one. */
export class OwnTokens {
  constructor(
    private readonly deps: {
      readonly passes: Passes;
      readonly secondLogin: SecondLogin;
      readonly loneLogin: LoneLogin;
    },
  ) {}

  /** Undefined for every other login. @throws Refusal as `SecondLogin.redeem` and `LoneLogin.redeem` */
  async handle(request: ClientRequest, body: JsonObject): Promise<Answer | undefined> {
    if (body.type !== TOKEN_LOGIN) return undefined;
    const { passes, secondLogin, loneLogin } = this.deps;
    const { token } = body;
    if (passes.isOfHold(token)) return secondLogin.redeem(request, token, withoutAuth(body));
    if (passes.isOfFactor(token)) return loneLogin.redeem(request, token, withoutAuth(body));
    return undefined;
  }
}
