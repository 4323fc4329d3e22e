import { Refusal } from '../matrix/refusals.ts';
import { type Branch, type Write, when } from '../storage/statement.ts';
import { type Storage, storageAside } from '../storage/storage.ts';
import { findVersion } from '../storage/tables/accounts.ts';
import { type AllowanceRate, giveBackAllowance, takeAllowance } from '../storage/tables/allowances.ts';
import {
  claimHold,
  dropHold,
  endFreeHold,
  endOneOfMost,
  extendHold,
  type HeldLogin,
  type HoldsKept,
  keepHoldUnder,
  keepHoldWhereRoom,
} from '../storage/tables/holds.ts';
import { extendSession } from '../storage/tables/sessions.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { OpeningSession } from '../uia/opening.ts';
import type { Session } from '../uia/session.ts';
import type { Vault } from '../vault/vault.ts';
import { type JoinKeys, joinKeyOfOwner } from './claimed_identity.ts';
import { DoubtfulHolds } from './doubtful_holds.ts';
import { type Grant, type OpenedHold, openHold } from './grant.ts';

/** Live holds of one user at once; a further sign-in joins one of them. */
const HOLDS_PER_USER = 8;
/** How many holds end at most where one is kept: more than one only after the setting was lowered. */
const ENDED_AT_ONCE = 20;

/** How much longer a login is held for a set-up. */
const MORE_MS = 10 * MINUTE;

/** A granted login that is held. */
export interface Kept {
  readonly hold: HeldLogin;
  /** The session that was opened with it. */
  readonly session?: Session | undefined;
}

/** Opens the session in which a held login waits for the second factor; it is written in the same unit. */
export type Open = (held: HeldLogin) => Promise<OpeningSession>;

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
  /** What was opened, for as long as a request has the row: it asks several times. */
  private readonly opened = new WeakMap<HeldLogin, OpenedHold>();

  constructor(
    private readonly deps: {
      readonly storage: Storage;
      readonly vault: Vault;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
    private readonly settings: HeldLoginsSettings,
  ) {
    this.doubtful = new DoubtfulHolds(storageAside(deps.storage));
  }

  /** How many logins a user may have waiting. */
  get allowance(): AllowanceRate {
    return this.settings.allowance;
  }

  find(id: string): Promise<HeldLogin | undefined> {
    return this.deps.storage.holds.find(id);
  }

  /**
   * Holds a granted login, never longer than its own token lives; resolves once it is held. Undefined where its user has
   * used up the logins that may wait, or has enough of them. Login and allowance are one unit: a store that fails takes
   * nothing (attack 143).
   * @throws Refusal hold_ended if factors or password were changed since the standing was looked up
   */
  async keep(made: NewHold, open?: Open): Promise<Kept | undefined> {
    const kept = await this.keepBy((held, also) => this.keepWithinBounds(held, made, also), made, open);
    if (kept === undefined) await this.requireVersion(made.grant.userId, made.version);
    return kept;
  }

  /** The same, whatever room there is. */
  async keepBeyondBounds(made: NewHold, open?: Open): Promise<Kept> {
    const write = (held: HeldLogin, also: Write) =>
      this.committed(held, when(keepHoldUnder(held, made.version), { won: also, lost: [] }));
    const kept = await this.keepBy(write, made, open);
    if (kept === undefined) throw new Refusal('hold_ended');
    return kept;
  }

  private async keepBy(
    write: (held: HeldLogin, also: Write) => Promise<HoldsKept | undefined>,
    made: NewHold,
    open: Open | undefined,
  ): Promise<Kept | undefined> {
    const held = this.newHold(made);
    const opening = await open?.(held);
    const kept = await this.orEnd(held, () => write(held, opening?.write ?? []));
    if (kept === undefined) return undefined;
    await this.orEnd(held, () => this.endOfCrowd(kept.live));
    return { hold: held, session: opening?.session };
  }

  /** A granted login as it would be held, for a sign-in that may not need it. Nothing is written. */
  unheld(made: NewHold): HeldLogin {
    return this.newHold({ ...made, usesAllowance: false });
  }

  private orEnd<T>(held: HeldLogin, keep: () => Promise<T>): Promise<T> {
    return this.doubtful.orEnd(held, () => this.allowanceGivenBack(held), keep);
  }

  private async requireVersion(userId: string, version: number | undefined): Promise<void> {
    if (version === undefined) return;
    const [account] = await this.deps.storage.read(findVersion(userId));
    if (account?.version !== version) throw new Refusal('hold_ended');
  }

  private async keepWithinBounds(
    held: HeldLogin,
    { usesAllowance, version }: NewHold,
    also: Write,
  ): Promise<HoldsKept | undefined> {
    const room = keepHoldWhereRoom(held, HOLDS_PER_USER, version);
    if (!usesAllowance) return this.committed(held, when(room, { won: also, lost: [] }));
    const allowed = when(takeAllowance(held.userId, this.settings.allowance), {
      won: also,
      lost: dropHold(held.id),
    });
    const answer = await this.deps.storage.commit([held.userId], when(room, { won: allowed, lost: [] }));
    return answer.won && answer.after.won ? answer.row : undefined;
  }

  private async committed(
    { userId }: HeldLogin,
    unit: Branch<HoldsKept, Write, Write>,
  ): Promise<HoldsKept | undefined> {
    const answer = await this.deps.storage.commit([userId], unit);
    return answer.won ? answer.row : undefined;
  }

  private async endOfCrowd(live: number): Promise<void> {
    const excess = live - this.settings.maximum;
    for (let turn = 0; turn < Math.min(excess, ENDED_AT_ONCE); turn++) {
      if ((await this.deps.storage.commit([], endOneOfMost(this.settings.maximum))) === undefined) return;
    }
  }

  private newHold({ grant, password, usesAllowance, joinKeys, atEnd }: NewHold): HeldLogin {
    const { userId } = grant;
    const now = this.deps.clock.now();
    const id = randomId(this.deps.random);
    const life = Math.min(this.settings.holdTtlMs, grant.expiresInMs ?? Number.POSITIVE_INFINITY);
    const mayBeJoined = joinKeys !== undefined && password !== undefined;
    return {
      id,
      userId,
      deviceId: grant.deviceId ?? '',
      joinKey: joinKeys?.exact[0] ?? null,
      foldedJoinKey: joinKeys?.folded[0] ?? null,
      ownerJoinKey: mayBeJoined ? joinKeyOfOwner(this.deps.vault, userId, password) : null,
      sealedGrant: grant.seal(
        this.deps.vault,
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
    const unused = { password: undefined, usesAllowance: false, joinKeys: undefined, version: undefined };
    const held = this.newHold({ grant, ...unused, atEnd: 'logout' });
    await this.deps.storage.holds.hold({ ...held, expiresAt: held.createdAt });
  }

  /** What was granted. */
  open(held: HeldLogin): OpenedHold {
    const opened = this.opened.get(held) ?? openHold(this.deps.vault, held);
    this.opened.set(held, opened);
    return opened;
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
    await this.deps.storage.commit([held.userId], when(extendHold(held, until), { won: also, lost: [] }));
  }

  /** Reserves the hold for one finisher for `forMs`; false if another one has it or it has ended. */
  async claim({ id, userId }: HeldLogin, claimant: string, forMs: number): Promise<boolean> {
    const claimed = claimHold(id, claimant, this.deps.clock.now() + forMs);
    return (await this.deps.storage.commit([userId], claimed)) !== undefined;
  }

  unclaim(held: HeldLogin, claimant: string): Promise<void> {
    return this.deps.storage.holds.unclaim(held.id, claimant);
  }

  /** Ends a hold that no one is finishing: the next sweep logs it out. False if someone is, or it has ended. */
  async endFree({ id, userId }: HeldLogin): Promise<boolean> {
    return (await this.deps.storage.commit([userId], endFreeHold(id))) !== undefined;
  }

  /** Ends a hold for its claimant: the next sweep logs it out. False if it was ended meanwhile. */
  end(held: HeldLogin, claimant: string): Promise<boolean> {
    return this.deps.storage.holds.end(held.id, claimant);
  }
}
