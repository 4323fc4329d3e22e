import type { Answer } from '../http/answer.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { OwesFactor } from '../second_factor/standing.ts';
import type { HeldSignIn } from './held_sign_in.ts';
import type { LoginConversation } from './login_conversation.ts';
import type { SecondLogin } from './second_login.ts';

export interface CodeAtOnceDeps {
  readonly conversation: LoginConversation;
  readonly step: CodeStep;
  readonly secondLogin: SecondLogin;
}

/**
 * The shortest sign-in: its code came behind the password, and is right. One commit spends it and puts the login on
 * record, which is never held. So there is no hold and no session to write and to take away again.
 */
export class CodeAtOnce {
  constructor(private readonly deps: CodeAtOnceDeps) {}

  /**
   * @param signIn its `hold` is not in the store
   * @param standing what its user owes; the login is let out only under this version of the account
   * @returns undefined where the login has to be held: nothing was written or counted
   * @throws StoreUnavailable no client gets the login: it is to be logged out
   */
  async pass(signIn: HeldSignIn, standing: OwesFactor): Promise<Answer | undefined> {
    const { request, hold, body, appended } = signIn;
    if (appended === undefined) return undefined;
    const release = this.deps.secondLogin.atOnce({ request, held: hold, body }, standing.version);
    if (release === undefined) return undefined;
    const { session } = await this.deps.conversation.opening(signIn, standing);
    const taken = await this.deps.step.takeUnheld(session, appended, request, release);
    return taken && this.deps.secondLogin.giveOut(request, body, taken);
  }
}
