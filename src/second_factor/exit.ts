import type { Audit } from '../audit/audit.ts';
import { relayBytes } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { ownWellKnown, withOwnWellKnown } from '../matrix/well_known.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { type Branch, type CommitAnswer, type Unit, type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { spendFactorToken } from '../storage/tables/factor_tokens.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { exchangeHold, releaseHold } from '../storage/tables/releases.ts';
import type { Clock } from '../system/clock.ts';
import type { TakenByCode } from './code_step.ts';
import type { ReleaseAtOnce } from './code_unit.ts';
import type { DevicePasswordChecked } from './device_password_checked.ts';
import type { FreshLogins } from './fresh_logins.ts';
import type { Grant, PassingProof, Proof, ReleasingProof } from './grant.ts';
import type { HeldLogins } from './held_logins.ts';
import type { OAuthGrantClaimed } from './oauth_claims.ts';
import type { NextTokens, RefreshPresented, RefreshRepeated } from './oauth_refresh.ts';
import type { PageSessionShown } from './page_shown.ts';
import type { FactorTokenClaimed } from './passes.ts';
import { type Exchange, letOut, noteTaken, type Taker } from './taker.ts';

export interface ExitDeps {
  readonly storage: Storage;
  readonly holds: HeldLogins;
  readonly freshLogins: FreshLogins;
  readonly audit: Audit;
  readonly clock: Clock;
  /** What clients use: a `well_known` names it. */
  readonly publicBaseUrl: string;
}

/** The one place that lets a token out, and only for a proof (R1). */
export class Exit {
  constructor(private readonly deps: ExitDeps) {}

  /** The answer to a login that need not wait: the homeserver's own bytes, but for `well_known`. */
  handOut(grant: Grant, proof: PassingProof): Answer {
    const { body, received } = grant.openFor(proof);
    if (received !== undefined && !isJsonObject(body.well_known)) return relayBytes(received);
    return this.rebuilt(grant, proof, 0);
  }

  /**
   * Gives out a held login, and uses the proof up: for exactly one caller (R8).
   * Undefined if another one took it, or it ended.
   */
  async release(held: HeldLogin, proof: ReleasingProof, taker: Taker): Promise<Answer | undefined> {
    const { grant, grantedAt } = this.deps.holds.open(held);
    // Before anything is written: the proof of another user changes nothing.
    const answer = this.rebuilt(grant, proof, this.deps.clock.now() - grantedAt);
    const unit = releaseHold(proof.record, held.id, this.consequences(held, grant, proof.hasFactor, taker));
    const released = await this.committed(held, unit);
    if (!released.won || released.after[0] === undefined) return undefined;
    noteTaken(taker);
    return letOut(answer, proof, held.userId, taker);
  }

  /** What gives a login out in the unit that accepts its last code. @param unheldUnder as in `ReleaseAtOnce` */
  atOnce(held: HeldLogin, taker: Taker, isWanted: () => boolean, unheldUnder?: number): ReleaseAtOnce {
    return {
      held,
      unheldUnder,
      also: this.consequences(held, this.deps.holds.open(held).grant, true, taker),
      isWanted,
      commit: (unit) => this.committed(held, unit),
    };
  }

  /** The answer of a held login that was taken with the last code of its session. */
  giveOut({ held, proof }: TakenByCode, taker: Taker): Answer {
    const { grant, grantedAt } = this.deps.holds.open(held);
    const answer = this.rebuilt(grant, proof, this.deps.clock.now() - grantedAt);
    noteTaken(taker);
    return letOut(answer, proof, held.userId, taker);
  }

  private async committed<const U extends Unit>(held: HeldLogin, unit: U): Promise<CommitAnswer<U>> {
    try {
      return await this.deps.storage.commit([held.userId], unit);
    } catch (error) {
      await this.deps.holds.doubtful.releaseFailed(held, error);
      throw error;
    }
  }

  /**
   * Gives a held login to the account page, and uses the proof up: for exactly one caller (R8). Its token goes from one
   * seal under another.
   * @param keep the page session that keeps it; its token has lived for `heldMs`
   * @returns whether it was there to be given
   */
  async enter(
    held: HeldLogin,
    proof: ReleasingProof,
    taker: Taker,
    keep: (grant: Grant, heldMs: number) => Write,
  ): Promise<boolean> {
    const { grant, grantedAt } = this.deps.holds.open(held);
    grant.openFor(proof);
    const also = [
      this.consequences(held, grant, proof.hasFactor, taker),
      keep(grant, this.deps.clock.now() - grantedAt),
    ];
    const entered = await this.deps.storage.commit([held.userId], releaseHold(proof.record, held.id, also));
    if (!entered.won || entered.after[0] === undefined) return false;
    noteTaken(taker);
    return true;
  }

  /**
   * Gives out the login that was made for a factor alone, and uses its token up: for exactly one caller (R8). Undefined if
   * factors or password were changed meanwhile: the login is to be ended then.
   */
  async redeem(grant: Grant, proof: FactorTokenClaimed, taker: Taker): Promise<Answer | undefined> {
    const answer = this.rebuilt(grant, proof, 0);
    return (await this.spent(grant, proof, taker)) ? letOut(answer, proof, proof.userId, taker) : undefined;
  }

  /** Gives such a login to the account page. @param keep the page session that keeps it */
  enterAlone(grant: Grant, proof: FactorTokenClaimed, taker: Taker, keep: Write): Promise<boolean> {
    grant.openFor(proof);
    return this.spent(grant, proof, taker, keep);
  }

  private async spent(
    grant: Grant,
    { userId, tokenHash, claimant }: FactorTokenClaimed,
    taker: Taker,
    also: Write = [],
  ): Promise<boolean> {
    const won = [this.completed(userId, grant, taker, undefined), also];
    const unit = when(spendFactorToken(tokenHash, claimant), { won, lost: [] });
    return (await this.deps.storage.commit([userId], unit)).won;
  }

  /** The access token of a page session, for the page that brought its cookie. */
  tokenFor(grant: Grant, proof: PageSessionShown): string {
    return grant.openFor(proof).accessToken;
  }

  /**
   * The answer to a sign-in with a device password: its own login's token, the same every time.
   * @param expiresInMs what is left of the token's life; undefined if it does not expire
   */
  forDevicePassword(grant: Grant, proof: DevicePasswordChecked, expiresInMs: number | undefined): Answer {
    const { accessToken } = grant.openFor(proof);
    const well_known = ownWellKnown({}, this.deps.publicBaseUrl);
    const body: JsonObject = { user_id: grant.userId, access_token: accessToken, well_known };
    body.device_id = grant.deviceId ?? '';
    if (expiresInMs !== undefined) body.expires_in_ms = expiresInMs;
    return { status: 200, body };
  }

  /**
   * Gives out the login that was made for an OAuth grant, and uses the grant up: for exactly one caller (R8). Undefined if
   * factors or password were changed meanwhile: the login is to be ended then.
   */
  beginOAuth(
    grant: Grant,
    proof: OAuthGrantClaimed,
    rest: JsonObject,
    keep: Write,
  ): Promise<Answer | undefined> {
    return this.forOAuth(grant, proof, rest, proof.using(keep));
  }

  /** The same for a refresh token, which the next one takes the place of. Undefined if it is not the current one any more. */
  refreshOAuth(
    grant: Grant,
    proof: RefreshPresented,
    rest: JsonObject,
    next: NextTokens,
  ): Promise<Answer | undefined> {
    return this.forOAuth(grant, proof, rest, proof.rotating(next));
  }

  /** The answer that the last refresh got, once more. */
  repeatOAuth(grant: Grant, proof: RefreshRepeated, rest: JsonObject): Answer {
    return { status: 200, body: { access_token: grant.openFor(proof).accessToken, ...rest } };
  }

  private async forOAuth(
    grant: Grant,
    proof: OAuthGrantClaimed | RefreshPresented,
    rest: JsonObject,
    unit: Branch<object, Write, readonly []>,
  ): Promise<Answer | undefined> {
    const { accessToken } = grant.openFor(proof);
    const { won } = await this.deps.storage.commit([grant.userId], unit);
    return won ? { status: 200, body: { access_token: accessToken, ...rest } } : undefined;
  }

  /**
   * Gives out a second login in the place of the held one, which the next sweep logs out (R5).
   * Undefined if it ended meanwhile: `second` is to be logged out then.
   * @throws Refusal homeserver_unclear if it is another user's
   */
  async exchange({ held, claimant, second, proof, taker }: Exchange): Promise<Answer | undefined> {
    if (second.userId !== held.userId) throw new Refusal('homeserver_unclear');
    const answer = this.rebuilt(second, proof, 0);
    const also = this.consequences(held, second, proof.hasFactor, taker);
    const exchanged = await this.deps.storage.commit(
      [held.userId],
      exchangeHold(proof.record, held.id, claimant, also),
    );
    return exchanged.won && exchanged.after[0] !== undefined
      ? letOut(answer, proof, held.userId, taker)
      : undefined;
  }

  /** The answer of a login whose token was held for `heldMs`: it lives that much shorter. */
  private rebuilt(grant: Grant, proof: Proof, heldMs: number): Answer {
    const body = withOwnWellKnown(grant.openFor(proof).body, this.deps.publicBaseUrl);
    if (typeof body.expires_in_ms !== 'number') return { status: 200, body };
    const left = Math.max(0, Math.floor(body.expires_in_ms - heldMs));
    return { status: 200, body: { ...body, expires_in_ms: left } };
  }

  /** What is written with a release, all or nothing: the record, what a fresh login may do, the allowance. */
  private consequences(held: HeldLogin, grant: Grant, hasFactor: boolean, taker: Taker): Write[] {
    const { holds } = this.deps;
    const allowance = holds.allowanceGivenBack(held);
    if (!hasFactor) return [allowance];
    const { passwordAsSent } = taker;
    const hasCode = passwordAsSent !== undefined && passwordAsSent !== holds.open(held).password;
    return [...this.completed(held.userId, grant, taker, hasCode ? passwordAsSent : undefined), allowance];
  }

  /** A sign-in with a second factor goes on record, and its token is fresh. */
  private completed(
    userId: string,
    { tokenHash, deviceId }: Grant,
    taker: Taker,
    passwordWithCode: string | undefined,
  ): Write[] {
    const { audit, freshLogins } = this.deps;
    const entry = { userId, client: taker.client, deviceId: taker.deviceId ?? deviceId };
    return [
      audit.recorded({ ...entry, event: 'login.completed' }),
      freshLogins.remembered(tokenHash, userId, passwordWithCode),
    ];
  }
}
