import { timingSafeEqual } from 'node:crypto';
import { type JsonObject, RECOVERY_STAGE } from '../../matrix/wire.ts';
import type { FactorStore, RecoverySet } from '../../storage/stores.ts';
import type { Clock } from '../../system/clock.ts';
import type { Vault } from '../../vault/vault.ts';
import type { AttemptGate, Factor, FactorVerdict, SentCode } from '../factor.ts';
import { readRecoveryCode } from './recovery_code.ts';
import type { RecoveryHasher } from './recovery_hasher.ts';

/** Codes on paper, each for one use, for when the phone is gone. */
export class RecoveryFactor implements Factor {
  readonly stage = RECOVERY_STAGE;
  readonly loginCounter = 'recovery';

  constructor(
    private readonly parts: {
      readonly store: FactorStore;
      readonly vault: Vault;
      readonly clock: Clock;
      readonly hasher: RecoveryHasher;
    },
  ) {}

  async available(userId: string): Promise<boolean> {
    const set = await this.parts.store.recoverySet(userId);
    return set !== undefined && remaining(set) > 0;
  }

  isWellFormed(token: string): boolean {
    return readRecoveryCode(token) !== undefined;
  }

  async verify({ userId, token, network }: SentCode, gate: AttemptGate): Promise<FactorVerdict> {
    // What cannot be looked at is no wrong attempt (DESIGN §5): the owner must not pay for a crowd of strangers.
    this.parts.hasher.requireRoom(userId, network);
    // Before the hash, which costs too much to be made for whoever asks (attack 90).
    await gate.admit();
    const code = readRecoveryCode(token);
    if (code === undefined) return { accepted: false };
    const set = await this.parts.store.recoverySet(userId);
    if (!set) return { accepted: false };
    const pepper = this.parts.vault.pepper(set.pepperKeyId);
    const hashedWith = { userId, salt: set.salt, pepper: pepper.secret };
    const hash = await this.parts.hasher.hash(code, hashedWith, network);
    if (!holdsHash(set, hash)) return { accepted: false };
    const position = await this.parts.store.spendRecoveryCode(userId, hash, this.parts.clock.now());
    if (position === undefined) return { accepted: false };
    return { accepted: true, detail: { position, remaining: remaining(set) - 1 } };
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const set = await this.parts.store.recoverySet(userId);
    if (!set) return undefined;
    return {
      remaining: remaining(set),
      total: set.codes.length,
      generated_at: set.generatedAt,
      codes: set.codes.map(({ position, usedAt }) => ({ position, used_at: usedAt })),
    };
  }
}

function remaining(set: RecoverySet): number {
  return set.codes.filter((code) => code.usedAt === null).length;
}

/** Looks at every code, used ones too, in the same time wherever the match stands (attacks 57, 87). */
function holdsHash(set: RecoverySet, hash: string): boolean {
  const sought = Buffer.from(hash, 'hex');
  return set.codes.filter((code) => timingSafeEqual(Buffer.from(code.hash, 'hex'), sought)).length > 0;
}
