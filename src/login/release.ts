import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { waitMs } from '../homeserver/retry_after.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { FreshLogins } from '../interactive/fresh_logins.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { AuditRecord, FactorStore, HeldLogin } from '../storage/stores.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import type { Grant } from './grant.ts';
import type { HeldGrant, HeldLogins } from './held_logins.ts';
import type { LoginAnswers } from './login_answers.ts';
import { wishedDevice } from './sign_in.ts';
import type { GrantedLogin, UpstreamLogin } from './upstream_login.ts';

/** How long one finisher has the hold to itself; a process that dies meanwhile leaves it to the sweep. */
const CLAIM_MS = 3 * MINUTE;

/** A sign-in with nothing left to prove. */
export interface PassedSignIn {
  readonly request: ClientRequest;
  /** Names the finisher: the session that passed. */
  readonly claimant: string;
  readonly hold: HeldLogin;
  /** The login body that the sign-in began with, as it was sent. */
  readonly body: JsonObject;
  /** Path of the login without query, for a second login. */
  readonly path: string;
  /** Whether the body's own credential can log in once more (R5: a login token or JWT cannot). */
  readonly repeatable: boolean;
  /** Whether a second factor was accepted; false: the account had none (sign-in page). */
  readonly secondFactor: boolean;
  /** Ends the session that passed; done together with the release. */
  readonly endSession: () => Promise<unknown>;
}

export interface ReleaseParts {
  readonly holds: HeldLogins;
  readonly factors: FactorStore;
  readonly upstream: UpstreamLogin;
  readonly homeserver: Homeserver;
  readonly answers: LoginAnswers;
  readonly freshLogins: FreshLogins;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Gives held logins to those who passed the second factor. */
export class HeldLoginRelease {
  constructor(private readonly parts: ReleaseParts) {}

  /**
   * The login's answer, for exactly one caller. Undefined if another finisher took the hold: this one needs a
   * fresh challenge.
   * @throws Refusal hold_ended if 2FA was turned off or on meanwhile, limit_exceeded if the second login of R5 must wait
   */
  async finish(passed: PassedSignIn): Promise<Answer | undefined> {
    await this.requireSameStanding(passed);
    return this.needsItsOwnLogin(passed) ? this.loginAgain(passed) : this.releaseHeld(passed);
  }

  /** 2FA turned off, or on, during a hold ends it: what it was held for is no more (R1, attack 39). */
  private async requireSameStanding({ hold, secondFactor }: PassedSignIn): Promise<void> {
    if ((await this.parts.factors.isEnrolled(hold.userId)) !== secondFactor) throw new Refusal('hold_ended');
  }

  /**
   * A client that asked for another device (R5), or that does not know refresh tokens and joined the login of one
   * that does: the token that is held would soon be worth nothing to it.
   */
  private needsItsOwnLogin({ hold, body, repeatable }: PassedSignIn): boolean {
    if (!repeatable) return false;
    const deviceId = wishedDevice(body);
    if (deviceId !== undefined && deviceId !== hold.deviceId) return true;
    return body.refresh_token !== true && this.parts.holds.open(hold).body.refresh_token !== undefined;
  }

  private async releaseHeld(passed: PassedSignIn): Promise<Answer | undefined> {
    const grant = this.parts.holds.open(passed.hold);
    await this.nameDevice(passed, grant);
    // A client that hung up would get nothing: the login stays for its next try.
    passed.request.signal.throwIfAborted();
    if (!(await this.take(passed, grant))) return undefined;
    await this.parts.holds.giveBackAllowance(passed.hold, grant);
    return this.parts.answers.released(grant.body, this.parts.clock.now() - grant.grantedAt);
  }

  /** All in one commit. What could not be done whole is not handed out. */
  private async take(passed: PassedSignIn, grant: HeldGrant): Promise<boolean> {
    const record = passed.secondFactor ? this.completion(passed, passed.hold.deviceId) : null;
    const taken = this.parts.holds.take(passed.hold, record);
    try {
      await Promise.all([taken, this.rememberFresh(grant.accessToken, passed), passed.endSession()]);
      return await taken;
    } catch (error) {
      if (await taken.catch(() => false)) await this.parts.upstream.discard(grant);
      throw error;
    }
  }

  /** The hold was made without a display name (R12): the one who takes it names the device. */
  private async nameDevice(passed: PassedSignIn, grant: HeldGrant): Promise<void> {
    const name = passed.body.initial_device_display_name;
    if (typeof name !== 'string' || !passed.repeatable || passed.hold.deviceId === '') return;
    await this.parts.homeserver.nameDevice(
      grant.accessToken,
      passed.hold.deviceId,
      name,
      passed.request.client,
    );
  }

  /** R5: only now may the homeserver hear the device that the client asked for. The held login is then logged out. */
  private async loginAgain(passed: PassedSignIn): Promise<Answer | undefined> {
    const { hold, claimant } = passed;
    if (!(await this.parts.holds.claim(hold, claimant, CLAIM_MS))) return undefined;
    try {
      return await this.secondLogin(passed);
    } catch (error) {
      await this.parts.holds.unclaim(hold, claimant);
      throw error;
    }
  }

  private async secondLogin(passed: PassedSignIn): Promise<Answer | undefined> {
    const { password } = this.parts.holds.open(passed.hold);
    const outcome = await this.parts.upstream.logIn({
      request: passed.request,
      path: passed.path,
      body: password === undefined ? passed.body : { ...passed.body, password },
    });
    if (outcome.kind === 'granted') return this.exchange(passed, outcome);
    if (outcome.answer.status === 429) {
      throw new Refusal('limit_exceeded', { retryAfterMs: waitMs(outcome.answer) });
    }
    if (outcome.answer.status >= 500) throw new Refusal('homeserver_unreachable');
    await this.parts.holds.end(passed.hold, passed.claimant);
    throw new Refusal('hold_ended');
  }

  /** The new login takes the place of the held one, which the next sweep logs out. */
  private async exchange(passed: PassedSignIn, second: GrantedLogin): Promise<Answer | undefined> {
    const { grant } = second;
    let exchanged = false;
    try {
      if (second.userId !== passed.hold.userId) throw new Refusal('homeserver_unclear');
      await this.rememberFresh(grant.accessToken, passed);
      exchanged = await this.parts.holds.end(passed.hold, passed.claimant);
    } finally {
      if (!exchanged) await this.parts.upstream.discard(grant);
    }
    if (!exchanged) return undefined;
    await this.noteCompletion(passed, grant);
    return this.parts.answers.released(grant.body, 0);
  }

  private async rememberFresh(accessToken: string, passed: PassedSignIn): Promise<void> {
    if (!passed.secondFactor) return;
    const asSent = passed.body.password;
    const hasCode = typeof asSent === 'string' && asSent !== this.parts.holds.open(passed.hold).password;
    await this.parts.freshLogins.remember(accessToken, passed.hold.userId, hasCode ? asSent : undefined);
  }

  /** What cannot be put on record is not handed out; nothing holds the token any more, so it is logged out here. */
  private async noteCompletion(
    passed: PassedSignIn,
    granted: Pick<Grant, 'accessToken' | 'body' | 'deviceId'>,
  ): Promise<void> {
    await this.parts.holds.giveBackAllowance(passed.hold, this.parts.holds.open(passed.hold));
    if (!passed.secondFactor) return;
    try {
      await this.parts.audit.write(this.completion(passed, granted.deviceId));
    } catch (error) {
      await this.parts.upstream.discard(granted);
      throw error;
    }
    // The login is handed out by now; a session that could not be ended opens nothing without its hold.
    await passed.endSession().catch(() => false);
  }

  private completion({ request, hold, body }: PassedSignIn, deviceId: string | undefined): AuditRecord {
    return this.parts.audit.line({
      userId: hold.userId,
      event: 'login.completed',
      address: request.client.ip,
      deviceId: wishedDevice(body) ?? deviceId,
    });
  }
}
