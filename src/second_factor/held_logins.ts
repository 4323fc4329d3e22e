import { Refusal } from '../matrix/refusals.ts';
import { type Write, when } from '../storage/statement.ts';
import { type Storage, storageAside } from '../storage/storage.ts';
import { findVersion } from '../storage/tables/accounts.ts';
import {
  type AllowanceRate,
  findAllowance,
  giveBackAllowance,
  takeAllowance,
} from '../storage/tables/allowances.ts';
import {
  claimHold,
  countExcessHolds,
  dropHold,
  endOneOfMost,
  extendHold,
  findHoldsOfUser,
  findHoldsToJoin,
  type HeldLogin,
  keepHoldUnder,
  keepHoldWhereRoom,
} from '../storage/tables/holds.ts';
import { extendSession } from '../storage/tables/sessions.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { Session } from '../uia/session.ts';
import type { Vault } from '../vault/vault.ts';
import { DoubtfulHolds } from './doubtful_holds.ts';
import { type Grant, type OpenedHold, openHold } from './grant.ts';
import { type JoinKeys, joinKeyOfOwner } from './join_keys.ts';

/** How many holds one name and password may have before a further spelling of the name joins one of them. */
const HOLDS_PER_NAME = 2;

/** So many logins of a user are not used for further spellings of what is held. */
const LEFT_FOR_OWNER = 1;

/** Live holds of one user at once; a further sign-in joins one of them. */
const HOLDS_PER_USER = 8;
/** How many holds end at most where one is kept: more than one only after the setting was lowered. */
const ENDED_AT_ONCE = 20;

/** How much longer a login is held for a set-up. */
const MORE_MS = 10 * MINUTE;

/** What became of a granted login. */
export interface Kept {
  readonly hold: HeldLogin;
  /** False: its user has enough held logins; `hold` is another one, and what was granted is to be logged out. */
  readonly isOwn: boolean;
  /** The session that was opened with it. */
  readonly session?: Session | undefined;
}

/** A session that is opened by a write of its own. */
export interface OpeningSession {
  readonly session: Session;
  readonly write: Write;
}

/** A granted login to be held. */
export interface NewHold {
  readonly grant: Grant;
  readonly password: string | undefined;
  /** Whether it counts against the logins that its user may have waiting. */
  readonly usesAllowance: boolean;
  readonly joinKeys: JoinKeys | undefined;
  readonly atEnd: HeldLogin['atEnd'];
  /** The version of the account under which a second factor is owed; undefined if none is. */
  readonly version: number | undefined;
}

export interface HeldLoginsSettings {
  /** How long a login is held, in ms. */
  readonly holdTtlMs: number;
  /** How many logins are held at once; beyond it the oldest end. */
  readonly maximum: number;
  /** How many logins a user may have waiting, and how they come back. */
  readonly allowance: AllowanceRate;
}

/** Held logins: granted by the homeserver, kept back sealed until the second factor (R10, R12). */
export class HeldLogins {
  readonly doubtful: DoubtfulHolds;

  constructor(
    private readonly storage: Storage,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly random: RandomSource,
    private readonly settings: HeldLoginsSettings,
  ) {
    this.doubtful = new DoubtfulHolds(storageAside(storage));
  }

  /**
   * The live hold that a sign-in with these keys joins: an equal one, or one of the same user that was made with
   * the same password and the same wish for a refresh token. Where there are enough holds, or few logins are left,
   * any of them: other spellings that some homeserver takes for the same use up no login of the owner (attack 127).
   */
  async findToJoin(keys: JoinKeys): Promise<HeldLogin | undefined> {
    const found = this.doubtful.without(await this.storage.read(findHoldsToJoin(keys.exact, keys.folded)));
    const isEqual = (hold: HeldLogin) => hold.joinKey !== null && keys.exact.includes(hold.joinKey);
    const equal = found.find(isEqual) ?? found.find((hold) => this.isLike(hold, keys));
    if (equal !== undefined || found[0] === undefined) return equal;
    if (found.length >= HOLDS_PER_NAME) return found[0];
    return (await this.allowanceLeft(found[0].userId)) < LEFT_FOR_OWNER + 1 ? found[0] : undefined;
  }

  private async allowanceLeft(userId: string): Promise<number> {
    const { allowance } = this.settings;
    const [found] = await this.storage.read(findAllowance(userId, allowance));
    return found?.level ?? allowance.burstCount;
  }

  private isLike(hold: HeldLogin, { password, refresh }: JoinKeys): boolean {
    const granted = this.open(hold);
    return granted.password === password && granted.refresh === refresh;
  }

  find(id: string): Promise<HeldLogin | undefined> {
    return this.storage.holds.find(id);
  }

  /**
   * Holds a granted login, never longer than its own token lives; resolves once it is held. A user who has used up
   * the logins that may wait, or has enough of them, joins a live one instead: the password was proven, so there is
   * never a refusal (attack 128). Login and allowance are one unit: a store that fails takes nothing (attack 143).
   * @param open the session in which it waits for the second factor; it is written in the same unit
   * @throws Refusal hold_ended if factors or password were changed since the standing was looked up
   */
  async keep(made: NewHold, open?: (held: HeldLogin) => Promise<OpeningSession>): Promise<Kept> {
    const held = this.newHold(made);
    const { userId } = held;
    const { version } = made;
    const opening = await open?.(held);
    const also = opening?.write ?? [];
    const isKept = await this.orEnd(held, () => this.keepWithinBounds(held, made, also));
    if (!isKept) {
      await this.requireVersion(userId, version);
      const other = await this.liveHoldOf(userId, made.joinKeys);
      if (other !== undefined) return { hold: other, isOwn: false };
      const kept = when(keepHoldUnder(held, version), { won: also, lost: [] });
      const { won } = await this.orEnd(held, () => this.storage.commit([userId], kept));
      if (!won) throw new Refusal('hold_ended');
    }
    await this.orEnd(held, () => this.endOfCrowd());
    return { hold: held, isOwn: true, session: opening?.session };
  }

  private orEnd<T>(held: HeldLogin, keep: () => Promise<T>): Promise<T> {
    return this.doubtful.orEnd(held, this.allowanceGivenBack(held), keep);
  }

  private async requireVersion(userId: string, version: number | undefined): Promise<void> {
    if (version === undefined) return;
    const [account] = await this.storage.read(findVersion(userId));
    if (account?.version !== version) throw new Refusal('hold_ended');
  }

  private async keepWithinBounds(
    held: HeldLogin,
    { usesAllowance, version }: NewHold,
    also: Write,
  ): Promise<boolean> {
    const room = keepHoldWhereRoom(held, HOLDS_PER_USER, version);
    if (!usesAllowance) {
      return (await this.storage.commit([held.userId], when(room, { won: also, lost: [] }))).won;
    }
    const allowed = when(takeAllowance(held.userId, this.settings.allowance), {
      won: also,
      lost: dropHold(held.id),
    });
    const answer = await this.storage.commit([held.userId], when(room, { won: allowed, lost: [] }));
    return answer.won && answer.after.won;
  }

  private async liveHoldOf(userId: string, keys: JoinKeys | undefined): Promise<HeldLogin | undefined> {
    const live = this.doubtful.without(await this.storage.read(findHoldsOfUser(userId)));
    return live.find((hold) => keys !== undefined && this.isLike(hold, keys)) ?? live[0];
  }

  private async endOfCrowd(): Promise<void> {
    const [{ excess } = { excess: 0 }] = await this.storage.read(countExcessHolds(this.settings.maximum));
    for (let turn = 0; turn < Math.min(excess, ENDED_AT_ONCE); turn++) {
      if ((await this.storage.commit([], endOneOfMost(this.settings.maximum))) === undefined) return;
    }
  }

  private newHold({ grant, password, usesAllowance, joinKeys, atEnd }: NewHold): HeldLogin {
    const { userId } = grant;
    const now = this.clock.now();
    const id = randomId(this.random);
    const life = Math.min(this.settings.holdTtlMs, grant.expiresInMs ?? Number.POSITIVE_INFINITY);
    const mayBeJoined = joinKeys !== undefined && password !== undefined;
    return {
      id,
      userId,
      deviceId: grant.deviceId ?? '',
      joinKey: joinKeys?.exact[0] ?? null,
      foldedJoinKey: joinKeys?.folded[0] ?? null,
      ownerJoinKey: mayBeJoined ? joinKeyOfOwner(this.vault, userId, password) : null,
      sealedGrant: grant.seal(
        this.vault,
        { id, userId },
        { grantedAt: now, usesAllowance, refresh: joinKeys?.refresh ?? false, password },
      ),
      atEnd,
      createdAt: now,
      expiresAt: now + life,
    };
  }

  /** Only abandoned sign-ins use an allowance up: one that is finished gives it back, in the unit that releases it. */
  allowanceGivenBack(held: HeldLogin): Write {
    const { usesAllowance } = this.open(held);
    return usesAllowance ? giveBackAllowance(held.userId, this.settings.allowance) : [];
  }

  /** Keeps a login that no client gets, so that the next sweep logs it out. */
  async keepEnded(grant: Grant): Promise<void> {
    const held = this.newHold({
      grant,
      password: undefined,
      usesAllowance: false,
      joinKeys: undefined,
      atEnd: 'logout',
      version: undefined,
    });
    await this.storage.holds.hold({ ...held, expiresAt: held.createdAt });
  }

  /** What was granted. */
  open(held: HeldLogin): OpenedHold {
    return openHold(this.vault, held);
  }

  /**
   * Gives a held login, and a session that waits with it, ten minutes more: once, for a set-up, which takes longer than a
   * code. It is held no longer than its token lives.
   */
  async giveMoreTime(holdId: string, idHash: string): Promise<void> {
    const held = await this.find(holdId);
    if (held === undefined) return;
    const { expiresInMs = Number.POSITIVE_INFINITY } = this.open(held).grant;
    const until = Math.min(held.expiresAt + MORE_MS, held.createdAt + expiresInMs);
    const also = extendSession(idHash, MORE_MS, until);
    await this.storage.commit([held.userId], when(extendHold(held, until), { won: also, lost: [] }));
  }

  /** Reserves the hold for one finisher for `forMs`; false if another one has it or it has ended. */
  async claim({ id, userId }: HeldLogin, claimant: string, forMs: number): Promise<boolean> {
    const claimed = claimHold(id, claimant, this.clock.now() + forMs);
    return (await this.storage.commit([userId], claimed)) !== undefined;
  }

  unclaim(held: HeldLogin, claimant: string): Promise<void> {
    return this.storage.holds.unclaim(held.id, claimant);
  }

  /** Ends a hold for its claimant: the next sweep logs it out. False if it was ended meanwhile. */
  end(held: HeldLogin, claimant: string): Promise<boolean> {
    return this.storage.holds.end(held.id, claimant);
  }
}
