import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { waitMs } from '../homeserver/retry_after.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { FreshLogins } from '../second_factor/fresh_logins.ts';
import type { HeldGrant, HeldLogins } from '../second_factor/held_logins.ts';
import type { Write } from '../storage/statement.ts';
import type { AuditRecord, FactorStore, HeldLogin, Storage } from '../storage/stores.ts';
import { appendRecord } from '../storage/tables/audit.ts';
import { exchangeHold, type ProofOnRecord, releaseHold } from '../storage/tables/releases.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
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
  /** What passed; it is used up together with the release. */
  readonly proof: ProofOnRecord;
}

export interface ReleaseParts {
  readonly storage: Storage;
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
    const unit = releaseHold(
      passed.proof,
      passed.hold.id,
      this.consequences(passed, passed.hold.deviceId, grant),
    );
    const released = await this.parts.storage.commit([passed.hold.userId], unit);
    if (!released.won || released.after[0] === undefined) return undefined;
    return this.parts.answers.released(grant.body, this.parts.clock.now() - grant.grantedAt);
  }

  /** What is written with a release, all or nothing: the record, what a fresh login may do, the allowance. */
  private consequences(
    passed: PassedSignIn,
    deviceId: string | undefined,
    { accessToken }: Pick<HeldGrant, 'accessToken'>,
  ): Write[] {
    const allowance = this.parts.holds.allowanceGivenBack(passed.hold);
    if (!passed.secondFactor) return [allowance];
    return [appendRecord(this.completion(passed, deviceId)), this.freshLogin(accessToken, passed), allowance];
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
    const { hold, claimant, proof } = passed;
    let exchanged = false;
    try {
      if (second.userId !== hold.userId) throw new Refusal('homeserver_unclear');
      const unit = exchangeHold(proof, hold.id, claimant, this.consequences(passed, grant.deviceId, grant));
      const answer = await this.parts.storage.commit([hold.userId], unit);
      exchanged = answer.won && answer.after[0] !== undefined;
    } finally {
      if (!exchanged) await this.parts.upstream.discard(grant);
    }
    return exchanged ? this.parts.answers.released(grant.body, 0) : undefined;
  }

  private freshLogin(accessToken: string, { body, hold }: PassedSignIn): Write {
    const asSent = body.password;
    const hasCode = typeof asSent === 'string' && asSent !== this.parts.holds.open(hold).password;
    return this.parts.freshLogins.remembered(accessToken, hold.userId, hasCode ? asSent : undefined);
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
