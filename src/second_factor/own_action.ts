import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { RefusalName } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Decision, Write } from '../storage/statement.ts';
import type { Caller } from './caller.ts';

/**
 * What the owner of a token must prove before something is done for them. `fresh_sign_in`: the password, as a
 * second factor was given a moment ago; a code behind it is left off, and not looked at. `stepped_up`: the password, as a
 * second factor was given a moment ago on the page that asks.
 */
export type Requirement = 'two_factor' | 'password' | 'fresh_sign_in' | 'stepped_up';

/** A request whose owner has given the proof that it needs. */
export interface ProvenRequest {
  readonly request: ClientRequest;
  readonly caller: Caller;
  /** What it is about, without `auth`: of this request, or of an earlier one that this one goes on with. */
  readonly body: JsonObject;
  readonly proven: Requirement;
  /** Written behind a change of factors: it keeps the step-up of the page that the request came from. */
  readonly keptStepUp: Write;
}

interface GuardedAction {
  readonly shape:
    | 'setup_request'
    | 'removal_request'
    | 'recovery_request'
    | 'two_factor_delete_request'
    | 'recovery_contacts_request'
    | 'recovery_contacts_delete_request'
    | 'recovery_vote_request'
    | 'device_password_request';
  /** Whether the operator offers it at all: asked before anything of the request is looked at. @throws Refusal unrecognized */
  readonly requireOn?: () => void;
  /** Checks what it is about before it is bound to a session. @throws Refusal */
  readonly requireSound?: (body: JsonObject) => void;
  /**
   * What must be proven: the second factor where it is on, and the password.
   * @throws Refusal if it cannot be done: no code shall be spent for it
   */
  requirementFor(caller: Caller, body: JsonObject): Promise<Requirement>;
  /**
   * Whether a step-up of the account page stands for the second factor (docs/security_model.md). Never, if left out.
   * @param onlyReplaces of a step-up that is for replacing an authenticator alone
   */
  readonly takesStepUp?: (body: JsonObject, onlyReplaces: boolean) => boolean;
}

/** A change of the two-factor API: guarded like a request to the homeserver, but done here (attack 89). */
export interface OwnAction extends GuardedAction {
  /** Does it, once for each proof. @throws Refusal */
  carryOut(proven: ProvenRequest): Promise<Answer>;
}

/** The second factor and a password that is to be judged. */
export interface PasswordProof {
  readonly request: ClientRequest;
  readonly caller: Caller;
  /** As in `ProvenRequest`. */
  readonly body: JsonObject;
  /** Undefined: the account has none, and our registration makes the login. */
  readonly password: string | undefined;
}

/** What a login that judged the password is to become. */
export interface LoginDeed {
  /** Keeps it, in the unit that uses the proof up. */
  readonly keep: Decision<{ readonly createdAt: number }>;
  /** Written with it. */
  readonly also: Write;
  answer(createdAt: number): Answer;
  /** Ends the login: it was not kept. */
  undo(): Promise<void>;
}

/** A change for which the homeserver judges the password by a login, which is kept. */
export interface ProvingAction extends GuardedAction {
  /** Undefined if the password is wrong. @throws Refusal if the homeserver did not say: what was proven stays */
  logIn(proof: PasswordProof): Promise<LoginDeed | undefined>;
  /** Why `keep` was lost, where it was. */
  readonly refusedInCommit: Exclude<RefusalName, 'limit_exceeded'>;
}
