import type { AppendedCode } from '../factors/factors.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';
import type { Session } from '../uia/session.ts';
import type { LoginBody, Reading } from './readings.ts';

/** What a client asks for at `POST /login`, read. */
export interface SignInRequest {
  readonly request: ClientRequest;
  readonly login: LoginBody;
  readonly auth: PresentedAuth | undefined;
  /** Whether an enrolled user may be meant: the hint of R5, never the decision. */
  readonly hinted: boolean;
  /** Whether the homeserver hears of the wished device and its name only once all is proven (R5). */
  readonly withoutWishes: boolean;
  readonly readings: readonly Reading[];
  /** A session that has passed on another hold, which is gone. */
  readonly passed: Session | undefined;
}

/** A login or registration whose grant is held. */
export interface HeldSignIn {
  readonly request: ClientRequest;
  readonly hold: HeldLogin;
  /** The body without `auth`, as it was sent. */
  readonly body: JsonObject;
  /** The stages that the homeserver has seen done: the login type used; none at registration. */
  readonly proven: readonly string[];
  readonly auth: PresentedAuth | undefined;
  /** The code that stood behind the password, where that reading was the right one. */
  readonly appended: AppendedCode | undefined;
}

/** Where a session that this request names stands. */
export type Resumed =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /**
   * The held login is gone, or the session is unknown: sign in again with this body. `passed` is a session that has
   * nothing left to prove but the password: its code is not asked for twice.
   */
  | { readonly kind: 'begin_again'; readonly body: JsonObject; readonly passed?: Session };
