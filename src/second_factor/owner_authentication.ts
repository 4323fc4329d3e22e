import type { AppendedCode } from '../factors/factors.ts';
import type { TokenOwner } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { AddressLimit } from '../limits/address_limit.ts';
import type { DeviceLimit } from '../limits/device_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Flow, type JsonObject, PASSWORD_STAGE, SSO_STAGE } from '../matrix/wire.ts';
import { pinnedPassword, requireOwnName, withoutNames } from '../uia/allowed_stages.ts';
import type { ChallengeError, ShownSession } from '../uia/challenge.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type PresentedAuth, presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSatisfied, requireBody, type Session, type SessionBinding, standingOf } from '../uia/session.ts';
import { CODE_REFUSED, challenge, codeWanted, type OfferedWays, WRONG_ORDER } from './challenge_answer.ts';
import type { CodeStep } from './code_step.ts';
import { hashToken } from './fresh_logins.ts';
import { type HomeserverTurns, type Onward, shownSession } from './onward.ts';
import type { PasswordSessions } from './password_sessions.ts';
import type { Presented, PresentedCodes } from './presented.ts';
import type { SecondFactors } from './second_factors.ts';

/**
 * What the owner of a token must prove before something is done for them. `fresh_sign_in`: the password, as a
 * second factor was given a moment ago; a code behind it is left off, and not looked at.
 */
export type Requirement = 'two_factor' | 'password' | 'fresh_sign_in';

/** A request of a token's owner that needs a proof. */
export interface OwnedRequest {
  readonly request: ClientRequest;
  readonly token: string;
  readonly owner: TokenOwner;
  /** The whole body, `auth` included. */
  readonly body: JsonObject;
  readonly requirement: Requirement;
  /**
   * Checks what the request is about, without `auth`, before it is bound to a session: no code is spent, and no page
   * asks for an approval, of something that cannot be done. Throws Refusal bad_json.
   */
  readonly requireSound: (body: JsonObject) => void;
}

/** What is ours to judge is proven: the rest remains for the homeserver. */
export interface AwaitingJudge {
  readonly kind: 'judge';
  readonly session: Session;
  /** The owner's password; empty where the homeserver goes on with stages of its own. */
  readonly password: string;
  /** The password field as it was typed, where a code was cut off its end: it may be the password after all. */
  readonly asTyped: string | undefined;
  /** What the homeserver gets as `auth`: the pinned password, or a stage of `onward` in its own session. */
  readonly auth: JsonObject;
  readonly onward: Onward | undefined;
  /** What the request is about, without `auth`: of this request or, where it came with `auth` alone, of an earlier one. */
  readonly body: JsonObject;
}

export type OwnerStep = AwaitingJudge | { readonly kind: 'answer'; readonly answer: Answer };

/** What bounds wrong passwords under a token. */
export interface ProofLimits {
  readonly address: AddressLimit;
  readonly device: DeviceLimit;
}

const PASSWORD_REFUSED: ChallengeError = { errcode: 'M_FORBIDDEN', error: 'The password is not right.' };

/**
 * User-Interactive Authentication of a token's owner on endpoints that guard something: the second factor
 * first, then the password, which the homeserver alone judges (R6, R7, promise 5).
 */
export class OwnerAuthentication {
  constructor(
    private readonly engine: UiaEngine,
    private readonly secondFactors: SecondFactors,
    private readonly codes: { readonly presented: PresentedCodes; readonly step: CodeStep },
    private readonly passwordSessions: PasswordSessions,
    private readonly limits: ProofLimits,
    private readonly turns: HomeserverTurns,
    private readonly settings: OfferedWays,
  ) {}

  /**
   * Takes the request's `auth` as far as it goes.
   * @throws Refusal oauth_session, foreign_session, other_user, stage_not_offered, bad_json, limit_exceeded
   */
  async step(owned: OwnedRequest): Promise<OwnerStep> {
    const auth = presentedAuth(owned.body);
    await this.passwordSessions.require(owned.token, owned.request);
    const session = await this.sessionFor(owned, auth);
    if (auth === undefined || session.isNew) return answered(await this.standing(session.session));
    return this.takeStage(owned, session.session, auth);
  }

  /**
   * Has the homeserver judge, one request of a session at a time.
   * @param act what is asked of the homeserver, and what its answer comes to
   * @param isProven whether that is a proof, so that the address's limit does not count it
   * @returns undefined if another request has the session's turn: it stands as it was
   * @throws Refusal limit_exceeded if too much was tried from this address, or under the tokens of this device
   */
  async inTurn<T>(
    owned: OwnedRequest,
    awaiting: AwaitingJudge,
    act: () => Promise<T>,
    isProven: (result: T) => boolean,
  ): Promise<T | undefined> {
    const { address, device } = this.limits;
    const take = () => this.turns.take(awaiting.session, act);
    const isFine = (result: T | undefined) => result === undefined || isProven(result);
    // Stages of the homeserver's own prove no password, and clients may have to ask how far they are.
    const limited = awaiting.onward === undefined ? () => device.attempt(owned.owner, take, isFine) : take;
    return address.attempt(owned.request.client, limited, isFine);
  }

  /** The password turns out to be two to try. @throws Refusal limit_exceeded */
  takeFurther({ request, owner }: OwnedRequest): void {
    this.limits.address.takeFurther(request.client);
    this.limits.device.takeFurther(owner);
  }

  /** The homeserver is content: true for exactly one caller, who answers for it. */
  async passed(awaiting: AwaitingJudge): Promise<boolean> {
    const { session } = awaiting;
    if (isSatisfied(session.flows, session.completed)) return this.engine.finish(session);
    const completion = await this.engine.complete(session, PASSWORD_STAGE);
    if (completion.outcome === 'gone') return false;
    return this.engine.finish(completion.session);
  }

  /** The other way to read the password field; undefined if there is one way only. */
  otherReading({ session, asTyped }: AwaitingJudge): AwaitingJudge | undefined {
    return asTyped === undefined ? undefined : awaitPassword(session, asTyped);
  }

  /** The homeserver found the password wrong: counts against the session, not against the account (attack 52). */
  async refused(awaiting: AwaitingJudge): Promise<Answer> {
    await this.engine.countFailure(awaiting.session);
    return challenge(awaiting.session, PASSWORD_REFUSED);
  }

  /** A stage of the homeserver's own failed: counted like a wrong password. */
  async onwardRefused(awaiting: AwaitingJudge, onward: Onward, error: ChallengeError): Promise<Answer> {
    await this.engine.countFailure(awaiting.session);
    return this.leadOn(awaiting, onward, error);
  }

  /** The homeserver asks for more than the password: its stages follow, in the same session of ours. */
  async leadOn(awaiting: AwaitingJudge, onward: Onward, error?: ChallengeError): Promise<Answer> {
    await this.turns.leadOn(awaiting.session, onward);
    return challenge(shownSession(awaiting.session, onward), error);
  }

  /** Where a session stands. */
  async standing(session: Session): Promise<Answer> {
    const onward = await this.turns.find(session);
    return challenge(onward === undefined ? session : shownSession(session, onward));
  }

  /** A session of its own, to begin anew with what `awaiting` was about. */
  async again(owned: OwnedRequest, awaiting: AwaitingJudge): Promise<Answer> {
    return challenge(await this.open(owned, awaiting.body));
  }

  /**
   * The session that this request is about. One without `auth` gets the one it had before; one that names a
   * session that is gone gets a new one and must begin there; a one-shot has one of its own, so that it never
   * rides on what another request has proven.
   */
  private async sessionFor(
    owned: OwnedRequest,
    auth: PresentedAuth | undefined,
  ): Promise<{ session: Session; isNew: boolean }> {
    const { binding, rest } = bindingOf(owned);
    if (auth === undefined) {
      const before = await this.engine.again(binding, rest);
      const usable = before !== undefined && meets(before, owned.requirement);
      return { session: usable ? before : await this.open(owned, rest), isNew: true };
    }
    if (auth.session === undefined) return { session: await this.open(owned, rest), isNew: false };
    const named = await this.engine.resume(binding, auth.session, rest, owned.requireSound);
    const usable = named !== undefined && meets(named, owned.requirement);
    if (usable) return { session: named, isNew: false };
    return { session: await this.open(owned, named?.body ?? rest), isNew: true };
  }

  private async takeStage(owned: OwnedRequest, session: Session, auth: PresentedAuth): Promise<OwnerStep> {
    const { type } = auth;
    const onward = await this.turns.find(session);
    if (onward !== undefined) return takeOnwardStage(session, onward, auth);
    if (isSatisfied(session.flows, session.completed)) return awaitPassword(session, session.password ?? '');
    if (type === undefined || type === SSO_STAGE || session.completed.includes(type)) return answer(session);
    if (!session.flows.some((flow) => flow.includes(type))) throw new Refusal('stage_not_offered');
    const presented = this.codes.presented.inAuth(auth);
    if (presented !== undefined) return this.takeCode(owned, session, presented);
    return this.takePassword(owned, session, auth.fields);
  }

  private async takeCode(owned: OwnedRequest, session: Session, presented: Presented): Promise<OwnerStep> {
    const outcome = await this.codes.step.take(session, presented, owned.request);
    switch (outcome.is) {
      case 'passed':
        return answer(outcome.session);
      case 'missing':
      case 'gone':
        return answer(session);
      case 'out_of_order':
        return answer(session, WRONG_ORDER);
      case 'refused':
        return answer(session, CODE_REFUSED);
    }
  }

  private async takePassword(owned: OwnedRequest, session: Session, fields: JsonObject): Promise<OwnerStep> {
    requireOwnName(fields, owned.owner.userId);
    const { password } = fields;
    if (typeof password !== 'string') {
      throw new Refusal('missing_param', { text: '`auth.password` is missing.' });
    }
    // Before a code at its end is spent.
    requireBody(session);
    if (standingOf(session, PASSWORD_STAGE) !== 'next') return this.takeBoth(owned, session, password);
    const appended = owned.requirement === 'fresh_sign_in' ? this.appendedTo(password) : undefined;
    return appended === undefined
      ? awaitPassword(session, password)
      : awaitPassword(session, appended.password, password);
  }

  private appendedTo(field: string): AppendedCode | undefined {
    return this.settings.appendedCode ? this.codes.presented.inPassword(field) : undefined;
  }

  /** A one-shot password whose end is a code counts for both stages (DESIGN §4); without one it is told so. */
  private async takeBoth(owned: OwnedRequest, session: Session, field: string): Promise<OwnerStep> {
    const appended = this.appendedTo(field);
    if (appended === undefined || standingOf(session, appended.factor.stage) !== 'next') {
      return answer(session, codeWanted(this.settings));
    }
    const outcome = await this.codes.step.take(session, appended, owned.request);
    return outcome.is === 'passed'
      ? awaitPassword(outcome.session, appended.password)
      : answer(session, CODE_REFUSED);
  }

  /** @throws Refusal bad_json if `body` is not sound (attacks 148, 149) */
  private async open(owned: OwnedRequest, body: JsonObject): Promise<Session> {
    owned.requireSound(body);
    const { binding } = bindingOf(owned);
    return this.engine.open(binding, {
      flows: await this.flowsFor(owned),
      body,
      client: owned.request.client,
      deviceId: owned.owner.deviceId,
      token: this.settings.pages ? owned.token : undefined,
    });
  }

  /** The single-stage `m.login.sso` stands first: some clients know or take no other (DESIGN §4). */
  private async flowsFor(owned: OwnedRequest): Promise<Flow[]> {
    const pages: Flow[] = this.settings.pages ? [[SSO_STAGE]] : [];
    if (owned.requirement !== 'two_factor') return [...pages, [PASSWORD_STAGE]];
    const stages = await this.secondFactors.available(owned.owner.userId);
    return [...pages, ...stages.map((stage) => [stage, PASSWORD_STAGE])];
  }
}

/** Whether what a session asks for is enough for what is required now: 2FA may have been turned on since. */
function meets(session: Session, requirement: Requirement): boolean {
  return requirement !== 'two_factor' || !session.flows.some((flow) => flow[0] === PASSWORD_STAGE);
}

function bindingOf({ request, token, owner, body }: OwnedRequest): {
  binding: SessionBinding;
  rest: JsonObject;
} {
  const target = `${request.method} ${request.path}${request.search}`;
  return {
    binding: { target, userId: owner.userId, tokenHash: hashToken(token) },
    rest: withoutAuth(body),
  };
}

/** The homeserver's own stages, in its session and in no other; a password stays the owner's. */
function takeOnwardStage(session: Session, onward: Onward, { type, fields }: PresentedAuth): OwnerStep {
  const shown = shownSession(session, onward);
  // Finished elsewhere, on a page of the homeserver: only the homeserver can say.
  if (type === undefined) return awaitOnward(session, onward, {});
  if (shown.completed.includes(type)) return answer(shown);
  if (!shown.flows.some((flow) => flow.includes(type))) throw new Refusal('stage_not_offered');
  if (standingOf(shown, type) !== 'next') return answer(shown, WRONG_ORDER);
  return awaitOnward(session, onward, fields);
}

function awaitPassword(session: Session, password: string, asTyped?: string): AwaitingJudge {
  requireBody(session);
  const auth = pinnedPassword(password, session.binding.userId);
  return { kind: 'judge', session, password, asTyped, auth, onward: undefined, body: session.body ?? {} };
}

function awaitOnward(session: Session, onward: Onward, fields: JsonObject): AwaitingJudge {
  requireBody(session);
  const auth = { ...withoutNames(fields), session: onward.session };
  return {
    kind: 'judge',
    session,
    password: '',
    asTyped: undefined,
    auth,
    onward,
    body: session.body ?? {},
  };
}

function answer(session: ShownSession, error?: ChallengeError): OwnerStep {
  return answered(challenge(session, error));
}

function answered(answer: Answer): OwnerStep {
  return { kind: 'answer', answer };
}
