import { type Effect, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountVersion } from '../storage/tables/accounts.ts';
import {
  claimFactorToken,
  type FactorToken,
  findFactorToken,
  keepFactorToken,
  unclaimFactorToken,
} from '../storage/tables/factor_tokens.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import {
  type PassedLoginToken,
  redeemPassedToken,
  rememberPassedToken,
} from '../storage/tables/passed_login_tokens.ts';
import type { ProofOnRecord } from '../storage/tables/releases.ts';
import type { SignInToken } from '../storage/tables/sign_in_tokens.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { FactorPassed } from './factor_passed.ts';
import type { FreshLogins } from './fresh_logins.ts';
import type { StandingPasses } from './standing.ts';

/** How our login tokens begin, so that the gate tells them from those of the homeserver. */
const PREFIX = 'm2fat_';
/** The same for those that were given for a factor alone: no login is held for them. */
const ALONE_PREFIX = 'm2faf_';
/** A client redeems its token at once; two minutes are for slow phones (attack 69). */
const LIFETIME_MS = 2 * MINUTE;
/** How long one request has such a token to itself; a process that dies meanwhile leaves it to the next. */
const CLAIM_MS = MINUTE;

/** Our own login token, as a client brings it. It is used up with the release of its held login. */
class PassPresented {
  readonly #pass: SignInToken;

  constructor(pass: SignInToken) {
    this.#pass = pass;
  }

  /** Whether it was given for a second factor; false: its user had none. */
  get hasFactor(): boolean {
    return this.#pass.secondFactor;
  }

  /** In place of the kind of a factor: the factor was given on the sign-in page. */
  readonly factor = 'login_token';

  get holdId(): string {
    return this.#pass.holdId;
  }

  isFor(userId: string): boolean {
    return this.#pass.userId === userId;
  }

  get record(): ProofOnRecord {
    return { kind: 'sign_in_token', hash: this.#pass.tokenHash };
  }
}

/** A login token of the homeserver that was issued under 2FA, and is used up. */
class PassRedeemed {
  readonly #userId: string;

  constructor(userId: string) {
    this.#userId = userId;
  }

  isFor(userId: string): boolean {
    return this.#userId === userId;
  }
}

/** Our own login token that was given for a factor alone, claimed by one request. The login of that request uses it up. */
class FactorTokenClaimed {
  readonly hasFactor = true;
  /** In place of the kind of a factor, as with `PassPresented`. */
  readonly factor = 'login_token';
  readonly #token: FactorToken;

  constructor(
    token: FactorToken,
    readonly claimant: string,
  ) {
    this.#token = token;
  }

  isFor(userId: string): boolean {
    return this.#token.userId === userId;
  }

  get userId(): string {
    return this.#token.userId;
  }

  get tokenHash(): string {
    return this.#token.tokenHash;
  }

  /** The kind of the factor that was given on the page. */
  get kind(): string {
    return this.#token.kind;
  }
}

export type { FactorTokenClaimed, PassPresented, PassRedeemed };

/** A factor that was accepted alone: what a login token is given for. */
export type AloneAccepted = Omit<FactorToken, 'tokenHash'>;

export function isPassRedeemed(proof: object): proof is PassRedeemed {
  return proof instanceof PassRedeemed;
}

/** Passes: login tokens that stand for what was proven before, each good once. */
export class Passes {
  constructor(
    private readonly deps: {
      readonly storage: Storage;
      readonly freshLogins: FreshLogins;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
  ) {}

  /** A new login token for a held login. It does not outlive the hold. */
  async issue(held: HeldLogin, proof: FactorPassed | StandingPasses): Promise<string> {
    const { storage, clock, random } = this.deps;
    const token = PREFIX + randomId(random, 256);
    await storage.signInTokens.remember({
      tokenHash: hashToken(token),
      holdId: held.id,
      userId: held.userId,
      secondFactor: proof.hasFactor,
      expiresAt: Math.min(clock.now() + LIFETIME_MS, held.expiresAt),
    });
    return token;
  }

  /** Whether it was given for a held login; the homeserver must never see it. */
  isOfHold(token: unknown): token is string {
    return typeof token === 'string' && token.startsWith(PREFIX);
  }

  /** Whether it was given for a factor alone; the homeserver must never see it, either. */
  isOfFactor(token: unknown): token is string {
    return typeof token === 'string' && token.startsWith(ALONE_PREFIX);
  }

  /** A new login token for a factor alone. Undefined where factors or password were changed since it was accepted. */
  async issueAlone(accepted: AloneAccepted): Promise<string | undefined> {
    const { storage, random } = this.deps;
    const token = ALONE_PREFIX + randomId(random, 256);
    const { userId, authenticatorId, kind, version } = accepted;
    const kept = { tokenHash: hashToken(token), userId, authenticatorId, kind, version };
    const issued = await storage.commit([userId], keepFactorToken(kept, LIFETIME_MS));
    return issued === undefined ? undefined : token;
  }

  /** Reserves such a token for one request. Undefined if it is unknown, used, expired, in use, or ended by a change. */
  async claim(token: string): Promise<FactorTokenClaimed | undefined> {
    const { storage, random } = this.deps;
    const tokenHash = hashToken(token);
    const [found] = await storage.read(findFactorToken(tokenHash));
    if (found === undefined) return undefined;
    const claimant = randomId(random);
    const claimed = await storage.commit([found.userId], claimFactorToken(tokenHash, claimant, CLAIM_MS));
    return claimed && new FactorTokenClaimed(found, claimant);
  }

  /** Gives it back: it is good for another try. */
  async unclaim({ userId, tokenHash, claimant }: FactorTokenClaimed): Promise<void> {
    await this.deps.storage.commit([userId], unclaimFactorToken(tokenHash, claimant));
  }

  /** Undefined if the token is unknown, used or expired. */
  async find(token: string): Promise<PassPresented | undefined> {
    const found = await this.deps.storage.signInTokens.find(hashToken(token));
    return found && new PassPresented(found);
  }

  /**
   * Remembers for `lifeMs` a login token that the homeserver issued under 2FA (attack 36). It has ended if the account
   * of its user has another version by now (attack 183).
   */
  remember(loginToken: string, { userId, version }: AccountVersion, lifeMs: number): Promise<void> {
    return this.deps.storage.loginTokens.remember(this.passedToken(loginToken, userId, lifeMs), version);
  }

  /** The same, in a unit that names the user. */
  remembering(loginToken: string, { userId, version }: AccountVersion, lifeMs: number): Effect {
    return rememberPassedToken(this.passedToken(loginToken, userId, lifeMs), version);
  }

  private passedToken(loginToken: string, userId: string, lifeMs: number): PassedLoginToken {
    return { tokenHash: hashToken(loginToken), userId, expiresAt: this.deps.clock.now() + lifeMs };
  }

  /** Redeems such a token for the login that it was granted: for exactly one caller, in its time, for its user. */
  async redeem(
    loginToken: string,
    { userId, tokenHash }: { readonly userId: string; readonly tokenHash: string },
  ): Promise<PassRedeemed | undefined> {
    const unit = when(redeemPassedToken(hashToken(loginToken), userId), {
      won: this.deps.freshLogins.remembered(tokenHash, userId, undefined),
      lost: [],
    });
    const redeemed = await this.deps.storage.commit([userId], unit);
    return redeemed.won ? new PassRedeemed(userId) : undefined;
  }

  /** What was redeemed for a login stands for the one that takes its place: the same user's, with the device that was wished. */
  async redeemAgain(
    redeemed: PassRedeemed,
    { userId, tokenHash }: { readonly userId: string; readonly tokenHash: string },
  ): Promise<PassRedeemed | undefined> {
    if (!redeemed.isFor(userId)) return undefined;
    const { storage, freshLogins } = this.deps;
    await storage.commit([userId], freshLogins.remembered(tokenHash, userId, undefined));
    return redeemed;
  }

  /** Whether it was issued under 2FA and ended with a change of factors or password: it signs no one in (attack 153). */
  isEnded(loginToken: string): Promise<boolean> {
    return this.deps.storage.loginTokens.isEnded(hashToken(loginToken));
  }
}
