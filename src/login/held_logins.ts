import type { JsonObject } from '../matrix/wire.ts';
import type { AuditRecord, HeldLogin, HoldStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';
import type { Grant } from './grant.ts';
import type { ClaimedIdentity } from './sign_in.ts';

/** How many holds one name and password may have before a further spelling of the name joins one of them. */
const HOLDS_PER_NAME = 2;

/** What follows them is not looked at by some homeservers (HOMESERVERS §1, point 9). */
const BCRYPT_BYTES = 72;

/** The keys by which an equal sign-in finds a held login (R12). */
export interface JoinKeys {
  readonly exact: string;
  readonly folded: string;
}

/** A granted login to be held. */
export interface NewHold {
  readonly grant: Grant;
  readonly userId: string;
  readonly password: string | undefined;
  /** Whose allowance of held logins it was made from; undefined if from nobody's. */
  readonly allowance: string | undefined;
  readonly joinKeys: JoinKeys | undefined;
  readonly atEnd: HeldLogin['atEnd'];
}

/** What the homeserver granted, with the time at which it did. */
export interface HeldGrant {
  readonly body: JsonObject;
  readonly accessToken: string;
  readonly grantedAt: number;
  /** The allowance of held logins to give back when it is taken. */
  readonly allowance: string | undefined;
  /** The password that it was granted for, without an appended code: for the second login of R5. */
  readonly password: string | undefined;
}

export interface HeldLoginsSettings {
  /** How long a login is held, in ms. */
  readonly holdTtlMs: number;
  /** How many logins are held at once; beyond it the oldest end. */
  readonly maximum: number;
}

/** Held logins: granted by the homeserver, kept back sealed until the second factor (R10, R12). */
export class HeldLogins {
  constructor(
    private readonly store: HoldStore,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly random: RandomSource,
    private readonly settings: HeldLoginsSettings,
  ) {}

  /**
   * The join keys of a password sign-in. The folded one is the same for all spellings of a name, for all forms of a
   * password that some homeserver takes for the same (HOMESERVERS §3) and whether or not a refresh token is asked
   * for: none of these keeps the owner out once they have used up his logins (attack 108).
   */
  joinKeys(identity: ClaimedIdentity, password: string, body: JsonObject): JoinKeys {
    const exact = [identity.exact, password, body.refresh_token === true];
    const folded = [identity.folded, foldPassword(password)];
    return {
      exact: this.vault.digest('hold-join', JSON.stringify(exact)),
      folded: this.vault.digest('hold-join-folded', JSON.stringify(folded)),
    };
  }

  /**
   * Where a sign-in stands in line: with all spellings of its name and password, and with equal ones only.
   * @param password without a code behind it
   * @param asSent the whole password field
   */
  lineKey(identity: ClaimedIdentity, password: string, asSent: string): { line: string; exact: string } {
    return {
      line: this.vault.digest('sign-in-line', JSON.stringify([identity.folded, foldPassword(password)])),
      exact: this.vault.digest('sign-in-exact', JSON.stringify([identity.exact, asSent])),
    };
  }

  /**
   * The live hold that a sign-in with these keys joins, if there is one. With `anySpelling` one made under
   * another spelling of the name does, too.
   */
  async findToJoin(keys: JoinKeys, anySpelling: boolean): Promise<HeldLogin | undefined> {
    const now = this.clock.now();
    const exact = await this.store.findToJoin(keys.exact, now);
    if (exact !== undefined) return exact;
    const folded = await this.store.findByFoldedKey(keys.folded, now);
    return anySpelling || folded.length >= HOLDS_PER_NAME ? folded[0] : undefined;
  }

  find(id: string): Promise<HeldLogin | undefined> {
    return this.store.find(id, this.clock.now());
  }

  /** Holds a granted login, never longer than its own token lives; resolves once it is held. */
  async hold(made: NewHold): Promise<HeldLogin> {
    const now = this.clock.now();
    const id = randomId(this.random);
    const life = Math.min(this.settings.holdTtlMs, made.grant.expiresInMs ?? Number.POSITIVE_INFINITY);
    const grant: HeldGrant = {
      body: made.grant.body,
      accessToken: made.grant.accessToken,
      grantedAt: now,
      password: made.password,
      allowance: made.allowance,
    };
    const held: HeldLogin = {
      id,
      userId: made.userId,
      deviceId: made.grant.deviceId ?? '',
      joinKey: made.joinKeys?.exact ?? null,
      foldedJoinKey: made.joinKeys?.folded ?? null,
      sealedGrant: this.vault.seal(JSON.stringify(grant), identityOf(id, made.userId)),
      atEnd: made.atEnd,
      createdAt: now,
      expiresAt: now + life,
    };
    await Promise.all([this.store.hold(held), this.store.endOldest(this.settings.maximum, now)]);
    return held;
  }

  /** What was granted. */
  open(held: HeldLogin): HeldGrant {
    const plain = this.vault.open(held.sealedGrant, identityOf(held.id, held.userId));
    return JSON.parse(plain.toString('utf8')) as HeldGrant;
  }

  /** Reserves the hold for one finisher for `forMs`; false if another one has it or it has ended. */
  claim(held: HeldLogin, claimant: string, forMs: number): Promise<boolean> {
    const now = this.clock.now();
    return this.store.claim(held.id, claimant, now, now + forMs);
  }

  unclaim(held: HeldLogin, claimant: string): Promise<void> {
    return this.store.unclaim(held.id, claimant);
  }

  /** Gives the login out and puts that on record: both or neither, for exactly one caller. */
  take(held: HeldLogin, record: AuditRecord | null): Promise<boolean> {
    return this.store.take(held.id, this.clock.now(), record);
  }

  /** Ends a hold for its claimant: the next sweep logs it out. False if it was ended meanwhile. */
  end(held: HeldLogin, claimant: string): Promise<boolean> {
    return this.store.end(held.id, claimant, this.clock.now());
  }
}

/** What is left of a password where least of it counts: one form of each character, and 72 bytes (bcrypt). */
function foldPassword(password: string): string {
  return Buffer.from(password.normalize('NFKC')).subarray(0, BCRYPT_BYTES).toString('base64');
}

function identityOf(id: string, userId: string): string {
  return `hold:${id}:${userId}`;
}
