import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { waitMs } from '../homeserver/retry_after.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, LOGIN_PATH, PASSWORD_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { JoinKeys } from '../second_factor/join_keys.ts';
import { owes, type Standings } from '../second_factor/standing.ts';
import type { GrantedLogin, LoginOutcome, UpstreamLogin } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { type LineOutcome, refusedAnswer, refusedOutcome, thrownOutcome } from './line_leases.ts';
import { type LoginBody, type Readings, readLoginBody } from './readings.ts';
import type { SignInLine } from './sign_in_line.ts';

/** What came of a password. */
export type PasswordJudged = { readonly hold: HeldLogin } | { readonly refusal: Refusal };

/** A sign-in with name and password. */
interface TypedPassword {
  readonly password: string | undefined;
  readonly keys: JoinKeys;
}

/** Has the homeserver judge what a person brings to the sign-in page. What it grants is held for everyone (R1). */
export class PageLogin {
  constructor(
    private readonly deps: {
      readonly holds: HeldLogins;
      readonly upstream: UpstreamLogin;
      readonly standings: Standings;
      readonly line: SignInLine;
      readonly readings: Readings;
      readonly homeserver: Homeserver;
      readonly addresses: Addresses;
    },
  ) {}

  /** Joins an equal sign-in, or has the password judged in its turn (R12). */
  async withPassword(
    request: ClientRequest,
    identifier: JsonObject,
    password: string,
  ): Promise<PasswordJudged> {
    const body = readLoginBody({ type: PASSWORD_STAGE, identifier, password });
    const keys = this.deps.readings.joinKeys(body, password);
    const join = async (): Promise<PasswordJudged | undefined> => {
      const hold = await this.deps.holds.findToJoin(keys);
      return hold && { hold };
    };
    const ask = () => this.ask(request, body, keys);
    const joined = await join();
    if (joined !== undefined) return joined;
    const key = await this.deps.readings.lineKey(body);
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
    return this.hold(request, granted, undefined);
  }

  /** Has the homeserver judge the password; what it grants is held. */
  private async ask(
    request: ClientRequest,
    { body, password }: LoginBody,
    keys: JoinKeys,
  ): Promise<{ answer: PasswordJudged; outcome: LineOutcome }> {
    const granted = await this.logIn(request, body);
    if (granted.kind === 'refused') {
      return { answer: { refusal: refusalOf(granted.answer) }, outcome: refusedOutcome(granted.answer) };
    }
    const hold = await this.hold(request, granted, { password, keys });
    // The login of an account without 2FA is not joined.
    return { answer: { hold }, outcome: { is: hold.joinKey === null ? 'passed' : 'held' } };
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

  private async hold(
    { client }: ClientRequest,
    { grant }: GrantedLogin,
    typed: TypedPassword | undefined,
  ): Promise<HeldLogin> {
    try {
      // The login of an account without 2FA is neither joined nor counted: every door gives it out at once.
      const witness = grant.witness(this.deps.homeserver, client, typed !== undefined);
      const standing = await this.deps.standings.of(grant.userId, witness);
      grant.noticeOwner(this.deps.addresses, client, standing);
      const isOwing = owes(standing);
      const { hold, isOwn } = await this.deps.holds.keep({
        grant,
        password: typed?.password,
        joinKeys: isOwing ? typed?.keys : undefined,
        usesAllowance: isOwing && typed !== undefined,
        atEnd: 'logout',
        version: isOwing ? standing.version : undefined,
      });
      if (!isOwn) await this.deps.upstream.discard(grant);
      return hold;
    } catch (error) {
      await this.deps.upstream.discard(grant);
      throw error;
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
  return { refusal: refused === undefined ? thrownOutcome(outcome) : refusalOf(refused) };
}
