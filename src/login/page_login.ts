import { waitMs } from '../homeserver/answer_fields.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, LOGIN_PATH, PASSWORD_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { NewHold } from '../second_factor/held_logins.ts';
import type { JoinedHolds } from '../second_factor/joined_holds.ts';
import { owes, type Standings } from '../second_factor/standing.ts';
import type { GrantedLogin, LoginOutcome, UpstreamLogin } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { type LineOutcome, refusedAnswer, refusedOutcome, thrownOutcome } from './line_leases.ts';
import type { PasswordReadings } from './page_standing.ts';
import {
  isRefusedCredential,
  type LoginBody,
  type Reading,
  type Readings,
  readLoginBody,
} from './readings.ts';
import type { SignInLine } from './sign_in_line.ts';

/** What came of a password. */
export type PasswordJudged = PasswordHeld | PasswordRefused;

export interface PasswordRefused {
  /** What a page says of it. */
  readonly refusal: Refusal;
  /** What the homeserver answered; undefined where it did not. */
  readonly answer: HomeserverAnswer | undefined;
}

/** The password was right, and its login is held. */
export interface PasswordHeld {
  readonly hold: HeldLogin;
  /** How the field was read: the password without the code that stood behind it. */
  readonly reading: Reading;
}

/** Has the homeserver judge what a person brings to the sign-in page. What it grants is held for everyone (R1). */
export class PageLogin {
  constructor(
    private readonly deps: {
      readonly joined: JoinedHolds;
      readonly upstream: UpstreamLogin;
      readonly standings: Standings;
      readonly line: SignInLine;
      readonly readings: Readings;
      readonly homeserver: Homeserver;
    },
  ) {}

  /** Joins an equal sign-in, or has the password judged in its turn (R12). */
  async withPassword(
    request: ClientRequest,
    identifier: JsonObject,
    password: string,
    how: PasswordReadings = 'both',
  ): Promise<PasswordJudged> {
    const body = readLoginBody({ type: PASSWORD_STAGE, identifier, password });
    const { readings } = this.deps;
    const all =
      how === 'both'
        ? await readings.of(body, await readings.mayMeanEnrolled(body))
        : [readings.asSent(body)];
    const join = () => this.deps.joined.find(all, request);
    const ask = () => this.ask(request, body, all);
    const joined = await join();
    if (joined !== undefined) return joined;
    const key = await readings.lineKey(body);
    if (key === undefined) return (await ask()).answer;
    return this.deps.line.ask<PasswordJudged>({ key, join, ask, refuse: refusalHeard });
  }

  /**
   * Learns whose login token of the homeserver it is.
   * @throws Refusal
   */
  async withToken(request: ClientRequest, token: string): Promise<HeldLogin> {
    const granted = await this.logIn(request, { type: TOKEN_LOGIN, token });
    if (granted.kind === 'refused') throw refusalOf(granted.answer);
    const hold = await this.hold(request, granted, undefined);
    if (hold === undefined) throw new Refusal('login_refused');
    return hold;
  }

  /** Has the homeserver judge the readings one by one; what it grants is held. */
  private async ask(
    request: ClientRequest,
    { body }: LoginBody,
    readings: readonly Reading[],
  ): Promise<{ answer: PasswordJudged; outcome: LineOutcome }> {
    let refused: HomeserverAnswer | undefined;
    for (const reading of readings) {
      const granted = await this.logIn(request, { ...body, password: reading.password ?? '' });
      if (granted.kind === 'refused') {
        refused = granted.answer;
        if (isRefusedCredential(refused)) continue;
        break;
      }
      const hold = await this.hold(request, granted, reading);
      // The login of an account without 2FA is not joined.
      if (hold !== undefined) {
        return { answer: { hold, reading }, outcome: { is: hold.joinKey === null ? 'passed' : 'held' } };
      }
    }
    if (refused === undefined) throw new Refusal('login_refused');
    return {
      answer: { refusal: refusalOf(refused), answer: refused },
      outcome: refusedOutcome(refused),
    };
  }

  private async logIn(
    request: ClientRequest,
    body: JsonObject,
  ): Promise<Exclude<LoginOutcome, { kind: 'without_token' }>> {
    const outcome = await this.deps.upstream.attempt({
      // The query in the address of the page is not for the homeserver.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body,
    });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    return outcome;
  }

  /** Undefined if this reading must not let anyone in: no one gets in with more than their password (attack 100). */
  private async hold(
    request: ClientRequest,
    { grant }: GrantedLogin,
    reading: Reading | undefined,
  ): Promise<HeldLogin | undefined> {
    let isHeld = false;
    try {
      // The login of an account without 2FA is neither joined nor counted: every door gives it out at once.
      const witness = grant.witness(this.deps.homeserver, request.client, reading !== undefined);
      const standing = await this.deps.standings.of(grant.userId, witness);
      if (reading?.appended !== undefined && standing.is !== 'owes_factor') return undefined;
      const isOwing = owes(standing);
      const made: NewHold = {
        grant,
        password: reading?.password,
        joinKeys: isOwing ? reading?.joinKeys : undefined,
        usesAllowance: isOwing && reading !== undefined,
        atEnd: 'logout',
        version: isOwing ? standing.version : undefined,
      };
      const { hold, isOwn } = await this.deps.joined.keep(made, request);
      isHeld = isOwn;
      return hold;
    } finally {
      if (!isHeld) await this.deps.upstream.discard(grant);
    }
  }
}

/** Unknown, locked, deactivated or wrong: the page tells no difference (attack 63). */
function refusalOf(answer: HomeserverAnswer): Refusal {
  if (answer.status === 429)
    return new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: waitMs(answer) });
  return new Refusal(answer.status >= 500 ? 'homeserver_unreachable' : 'login_refused');
}

/** What an equal sign-in was refused. */
function refusalHeard(outcome: LineOutcome): PasswordJudged {
  const refused = refusedAnswer(outcome);
  return { refusal: refused === undefined ? thrownOutcome(outcome) : refusalOf(refused), answer: refused };
}
