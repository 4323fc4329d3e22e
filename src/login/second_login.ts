import { waitMs } from '../homeserver/answer_fields.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { TakenByCode } from '../second_factor/code_step.ts';
import type { ReleaseAtOnce } from '../second_factor/code_unit.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant, ReleasingProof } from '../second_factor/grant.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { Taker } from '../second_factor/taker.ts';
import { wishedDevice } from '../second_factor/upstream_login.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { LoginAgain } from './login_again.ts';

/** How long one finisher has the hold to itself; a process that dies meanwhile leaves it to the sweep. */
const CLAIM_MS = 3 * MINUTE;

/** A sign-in with nothing left to prove. */
export interface PassedSignIn {
  readonly request: ClientRequest;
  readonly held: HeldLogin;
  /** The login body that the sign-in began with, as it was sent. */
  readonly body: JsonObject;
  readonly proof: ReleasingProof;
}

export interface SecondLoginDeps {
  readonly passes: Passes;
  readonly holds: HeldLogins;
  readonly standings: Standings;
  readonly again: LoginAgain;
  readonly homeserver: Homeserver;
  readonly exit: Exit;
  readonly random: RandomSource;
}

/** Gives a held login to the client that passed: as it is, or a second one with the device that it asked for (R5). */
export class SecondLogin {
  constructor(private readonly deps: SecondLoginDeps) {}

  /**
   * The login's answer, for exactly one caller. Undefined if another finisher took the held login: this one needs a
   * fresh challenge.
   * @throws Refusal hold_ended if 2FA was turned off or on meanwhile, limit_exceeded if the second login of R5 must wait
   */
  async finish(passed: PassedSignIn): Promise<Answer | undefined> {
    await this.requireSameStanding(passed);
    return this.needsItsOwnLogin(passed) ? this.loginAgain(passed) : this.release(passed);
  }

  /**
   * What gives the held login out together with the last code of its session; undefined where something has to be done
   * first that can fail: a login of its own (R5), or a name for the device. The code counts then, whatever comes of that.
   * @param unheldUnder the version of its account, where the login is not in the store
   */
  atOnce(signIn: Omit<PassedSignIn, 'proof'>, unheldUnder?: number): ReleaseAtOnce | undefined {
    if (this.needsItsOwnLogin(signIn) || this.nameOf(signIn.body) !== undefined) return undefined;
    const { request, held, body } = signIn;
    return this.deps.exit.atOnce(held, takerOf(request, body), () => !request.signal.aborted, unheldUnder);
  }

  /** The answer to a sign-in whose held login was taken with its last code. */
  giveOut(request: ClientRequest, body: JsonObject, taken: TakenByCode): Answer {
    return this.deps.exit.giveOut(taken, takerOf(request, body));
  }

  /**
   * Gives the held login to the client that brings its token of the sign-in page. With a `device_id` it is a login of
   * its own (R5).
   * @param body the login without `auth`
   * @throws Refusal hold_ended if the token is unknown, used or expired; limit_exceeded if it can be tried again
   */
  async redeem(request: ClientRequest, token: string, body: JsonObject): Promise<Answer> {
    const proof = await this.deps.passes.find(token);
    const held = proof && (await this.deps.holds.find(proof.holdId));
    if (proof === undefined || held === undefined) throw new Refusal('hold_ended');
    const login = passwordLoginOf(body, held.userId);
    const answer = await this.finish({ request, held, body: login, proof });
    if (answer === undefined) throw new Refusal('hold_ended');
    return answer;
  }

  /**
   * 2FA turned off, on, or required of the user during a hold ends it: what it waited for has changed (R1, attack 39).
   */
  private async requireSameStanding({ held, proof }: PassedSignIn): Promise<void> {
    const { is } = await this.deps.standings.of(held.userId);
    if (is === 'owes_enrolment' || (is === 'owes_factor') !== proof.hasFactor)
      throw new Refusal('hold_ended');
  }

  /**
   * A client that asked for another device (R5), or that does not know refresh tokens and joined the login of one
   * that does: the token that is held would soon expire for it.
   */
  private needsItsOwnLogin({ held, body }: Pick<PassedSignIn, 'held' | 'body'>): boolean {
    if (!this.deps.again.canFor(body.type)) return false;
    const deviceId = wishedDevice(body);
    if (deviceId !== undefined && deviceId !== held.deviceId) return true;
    return body.refresh_token !== true && this.deps.holds.open(held).grant.hasRefreshToken;
  }

  private async release({ request, held, body, proof }: PassedSignIn): Promise<Answer | undefined> {
    const name = this.nameOf(body);
    if (name !== undefined) {
      await this.deps.holds.open(held).grant.nameDevice(this.deps.homeserver, name, request.client);
    }
    // A client that hung up would get nothing: the login stays for its next try.
    request.signal.throwIfAborted();
    return this.deps.exit.release(held, proof, takerOf(request, body));
  }

  /** The hold was made without a display name (R12): the one who takes it names the device. */
  private nameOf({ type, initial_device_display_name: name }: JsonObject): string | undefined {
    return typeof name === 'string' && this.deps.again.canFor(type) ? name : undefined;
  }

  /** R5: only now may the homeserver hear the device that the client asked for. The held login is then logged out. */
  private async loginAgain(passed: PassedSignIn): Promise<Answer | undefined> {
    const { held } = passed;
    // Two requests with one proof must not share a claim.
    const claimant = randomId(this.deps.random);
    if (!(await this.deps.holds.claim(held, claimant, CLAIM_MS))) return undefined;
    try {
      return await this.secondLogin(passed, claimant);
    } catch (error) {
      await this.deps.holds.unclaim(held, claimant);
      throw error;
    }
  }

  private async secondLogin(passed: PassedSignIn, claimant: string): Promise<Answer | undefined> {
    const { request, held, body } = passed;
    const { password } = this.deps.holds.open(held);
    const again = await this.deps.again.logIn({
      request,
      userId: held.userId,
      body: password === undefined ? body : { ...body, password },
    });
    if (again.is === 'granted') return this.exchange(passed, claimant, again.grant);
    if (again.is === 'impossible') return this.releaseWithoutWishes(passed, claimant);
    const { answer } = again;
    if (answer.status === 429) {
      throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: waitMs(answer) });
    }
    if (answer.status >= 500) throw new Refusal('homeserver_unreachable');
    await this.deps.holds.end(held, claimant);
    throw new Refusal('hold_ended');
  }

  /** The credential is spent, and the homeserver does not take our registration: the device is the homeserver's choice. */
  private async releaseWithoutWishes(passed: PassedSignIn, claimant: string): Promise<Answer | undefined> {
    await this.deps.holds.unclaim(passed.held, claimant);
    return this.release(passed);
  }

  private async exchange(
    { request, held, body, proof }: PassedSignIn,
    claimant: string,
    grant: Grant,
  ): Promise<Answer | undefined> {
    let answer: Answer | undefined;
    try {
      // A client that hung up would get nothing: the held login stays for its next try.
      request.signal.throwIfAborted();
      const taker = takerOf(request, body);
      answer = await this.deps.exit.exchange({ held, claimant, second: grant, proof, taker });
      return answer;
    } finally {
      if (answer === undefined) await this.deps.again.abandon(grant, { request, body });
    }
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

function takerOf({ client }: ClientRequest, body: JsonObject): Taker {
  const { password } = body;
  return {
    client,
    deviceId: wishedDevice(body),
    passwordAsSent: typeof password === 'string' ? password : undefined,
  };
}
