import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { HeldLogins, NewHold } from '../second_factor/held_logins.ts';
import type { JoinedHolds, KeptOrJoined } from '../second_factor/joined_holds.ts';
import type { OwesEnrolment, OwesFactor } from '../second_factor/standing.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { HeldSignIn, SignInRequest } from './held_sign_in.ts';
import type { LoginConversation } from './login_conversation.ts';
import type { Reading } from './readings.ts';
import type { SecondLogin } from './second_login.ts';

/** One reading of a sign-in, and what the homeserver granted for it. */
export interface GrantedReading {
  readonly asked: SignInRequest;
  readonly reading: Reading;
  readonly grant: Grant;
}

export interface GrantedHoldDeps {
  readonly homeserver: Homeserver;
  readonly holds: HeldLogins;
  readonly joined: JoinedHolds;
  readonly conversation: LoginConversation;
  readonly step: CodeStep;
  readonly secondLogin: SecondLogin;
}

/** Keeps back the login of a user who owes something. */
export class GrantedHold {
  constructor(private readonly deps: GrantedHoldDeps) {}

  /** @param version of the account, under which something is owed */
  async newHold({ asked, reading, grant }: GrantedReading, version: number): Promise<NewHold> {
    return {
      // A login token or JWT names no one and is good for one login; a password can be tried without end.
      usesAllowance: asked.login.password !== undefined,
      grant,
      password: reading.password,
      joinKeys: reading.joinKeys,
      atEnd: await grant.endOn(chosenDevice(asked), this.deps.homeserver, asked.request.client),
      version,
    };
  }

  /**
   * The shortest sign-in: its code came behind the password, and is right. One commit spends it and puts the login on
   * record, which is never held. So there is no hold and no session to write and to take away again.
   * @param standing what its user owes; the login is let out only under this version of the account
   * @returns undefined where the login has to be held first: nothing was written or counted
   * @throws StoreUnavailable no client gets the login: it is to be logged out
   */
  async passAtOnce(
    { asked, reading }: GrantedReading,
    made: NewHold,
    standing: OwesFactor,
  ): Promise<Answer | undefined> {
    const { holds, secondLogin, conversation, step } = this.deps;
    const { appended } = reading;
    if (appended === undefined || asked.passed !== undefined) return undefined;
    const signIn = heldSignIn(asked, reading, holds.unheld(made));
    const { request, hold: held, body } = signIn;
    const release = secondLogin.atOnce({ request, held, body }, standing.version);
    if (release === undefined) return undefined;
    const { session } = await conversation.opening(signIn, standing);
    const taken = await step.takeUnheld(session, appended, request, release);
    return taken && secondLogin.giveOut(request, body, taken);
  }

  /** Holds it, with the session of the conversation that begins. Where it joins another one, the grant is to be ended. */
  hold(
    { asked, reading }: GrantedReading,
    made: NewHold,
    standing: OwesFactor | OwesEnrolment,
  ): Promise<KeptOrJoined> {
    const { joined, conversation } = this.deps;
    return joined.keep(
      made,
      asked.request,
      asked.passed === undefined
        ? (held) => conversation.opening(heldSignIn(asked, reading, held), standing)
        : undefined,
    );
  }
}

/** What the conversation about a held login is told of the sign-in. */
export function heldSignIn(
  { request, login, auth }: SignInRequest,
  { appended }: Reading,
  hold: HeldLogin,
): HeldSignIn {
  return { request, hold, auth, appended, body: login.body, proven: [login.type] };
}

/** The device that the client chose and the homeserver was told (R5). */
export function chosenDevice({ login, withoutWishes }: SignInRequest): string | undefined {
  return withoutWishes ? undefined : login.deviceId;
}
