import { type Clock, SECOND } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { type KeyRing, serialise } from './key_ring.ts';
import { type KeySource, readKeys, readKeysAtOnce } from './key_source.ts';
import { SealingVault } from './sealing_vault.ts';

/** A key that was added is known within this time: before it becomes active. */
const READ_EVERY_MS = 10 * SECOND;
/** Clients may send us made-up key ids: these do not make us read more often. */
const UNKNOWN_EVERY_MS = SECOND;

interface KeyKeeperDeps {
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Opens the keys of a running process. @throws {KeyFileError} */
export async function openKeys(source: KeySource, deps: KeyKeeperDeps): Promise<KeyKeeper> {
  return new KeyKeeper(source, await readKeys(source), deps);
}

/** Keeps the keys of a running process up to date: what others do with the ring takes effect without a restart. */
export class KeyKeeper {
  readonly vault: SealingVault;
  private readAt: number;
  private unknownAt: number | undefined;
  private underWay: Promise<boolean> | undefined;

  constructor(
    private readonly source: KeySource,
    private current: KeyRing,
    private readonly deps: KeyKeeperDeps,
  ) {
    const { random, clock } = deps;
    this.readAt = clock.now();
    this.vault = new SealingVault(current, random, { clock, reload: () => this.afterUnknown() });
  }

  /** As it was read last. */
  get ring(): KeyRing {
    return this.current;
  }

  /**
   * Reads the keys again, now.
   * @returns whether they are others than before
   * @throws {KeyFileError} they cannot be read now; those that are known stay in use
   */
  reread(): Promise<boolean> {
    this.underWay ??= this.read().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  /**
   * Reads the keys again if that was done ten seconds ago or longer.
   * @throws {KeyFileError} as `reread`
   */
  async refresh(): Promise<void> {
    if (isSince(this.deps.clock.now(), this.readAt, READ_EVERY_MS)) await this.reread();
  }

  private async read(): Promise<boolean> {
    this.readAt = this.deps.clock.now();
    return this.take(await readKeys(this.source));
  }

  private take(ring: KeyRing): boolean {
    const isOther = serialise(ring) !== serialise(this.current);
    this.current = ring;
    this.vault.take(ring);
    return isOther;
  }

  /** A command takes its time: the value does not open now, and does when it is asked for again. */
  private afterUnknown(): KeyRing | undefined {
    const now = this.deps.clock.now();
    if (this.unknownAt !== undefined && !isSince(now, this.unknownAt, UNKNOWN_EVERY_MS)) return undefined;
    this.unknownAt = now;
    const ring = readKeysAtOnce(this.source);
    if (ring !== undefined) this.take(ring);
    else this.reread().catch(() => undefined);
    return undefined;
  }
}

/** A clock that was set back does not put it off. */
function isSince(now: number, then: number, ms: number): boolean {
  return now < then || now - then >= ms;
}
