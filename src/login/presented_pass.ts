import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { SecondLogin } from './second_login.ts';

/** A client that brings a login token of the sign-in page. */
export class PresentedPass {
  constructor(
    private readonly deps: {
      readonly passes: Passes;
      readonly holds: HeldLogins;
      readonly secondLogin: SecondLogin;
    },
  ) {}

  /**
   * Gives the held login to the client that brings its token. With a `device_id` it is a login of its own (R5).
   * @param body the login without `auth`
   * @throws Refusal hold_ended if the token is unknown, used or expired; limit_exceeded if it can be tried again
   */
  async redeem(request: ClientRequest, token: string, body: JsonObject): Promise<Answer> {
    const proof = await this.deps.passes.find(token);
    const held = proof && (await this.deps.holds.find(proof.holdId));
    if (proof === undefined || held === undefined) throw new Refusal('hold_ended');
    const login = passwordLoginOf(body, held.userId);
    const answer = await this.deps.secondLogin.finish({ request, held, body: login, proof });
    if (answer === undefined) throw new Refusal('hold_ended');
    return answer;
  }
}

/** The login that the page had judged, with what the client wants of it; its password is sealed with the hold. */
function passwordLoginOf(body: JsonObject, userId: string): JsonObject {
  const {
    type: _type,
    token: _token,
    identifier: _identifier,
    user: _user,
    password: _password,
    ...wishes
  } = body;
  return { ...wishes, type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user: userId } };
}
