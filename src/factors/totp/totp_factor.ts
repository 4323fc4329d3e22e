import type { Json, JsonObject } from '../../matrix/wire.ts';
import { type Authenticator, type Enrolled, spendStep } from '../../storage/tables/authenticators.ts';
import type { FactorStore } from '../../storage/tables/factors.ts';
import type { Clock } from '../../system/clock.ts';
import type { RandomSource } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import type { FactorSetUp, TypedProof } from '../description.ts';
import type { Attempt, Factor, FactorVerdict } from '../factor.ts';
import { readGivenCode, splitTail } from '../given_code.ts';
import { isTotpToken, matchStep } from './match_step.ts';
import { TotpSetUp } from './totp_set_up.ts';
import type { TotpSettings } from './totp_settings.ts';
import { TOTP_AUTH, TOTP_EVENTS, TOTP_STAGE } from './totp_words.ts';

/** Codes of an authenticator app (RFC 6238); a user may have several authenticators. */
export class TotpFactor implements Factor {
  readonly kind = 'totp';
  readonly stage = TOTP_STAGE;
  readonly role = 'primary';
  readonly about = "A time-based one-time code of one of the user's authenticators.";
  readonly authSchema = TOTP_AUTH;
  readonly proofField = 'token';
  readonly typed: TypedProof;
  readonly events = TOTP_EVENTS;
  readonly setUp: FactorSetUp;
  readonly counter = 'codes';

  constructor(
    private readonly deps: {
      readonly store: FactorStore;
      readonly vault: Vault;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
    private readonly settings: TotpSettings,
  ) {
    this.typed = typedTotp(settings.digits);
    this.setUp = new TotpSetUp(deps, settings);
  }

  async available(_userId: string, { kinds }: Enrolled): Promise<boolean> {
    return kinds.includes(this.kind);
  }

  /** Finds the unspent step that the code is of. It decides nothing yet: another request may spend it first (R8). */
  async verify({ userId }: Attempt, token: Json): Promise<FactorVerdict> {
    if (!isTotpToken(token, this.settings.digits)) return { is: 'no_match', why: 'malformed' };
    let isSpent = false;
    for (const authenticator of await this.deps.store.authenticators(userId, this.kind)) {
      const step = this.matchingStep(authenticator, token);
      if (step === undefined) continue;
      const { id: authenticatorId, lastStep } = authenticator;
      if (step > lastStep) {
        const spend = spendStep(userId, { authenticatorId, step });
        return { is: 'match', spend, detail: { authenticator: authenticatorId } };
      }
      isSpent = true;
    }
    return { is: 'no_match', why: isSpent ? 'spent' : 'wrong' };
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const authenticators = await this.deps.store.authenticators(userId, this.kind);
    if (authenticators.length === 0) return undefined;
    return {
      authenticators: authenticators.map(({ id, name, enabledAt, lastUsedAt }) => ({
        id,
        name,
        enabled_at: enabledAt,
        last_used_at: lastUsedAt,
      })),
    };
  }

  private matchingStep({ id, userId, sealedSeed }: Authenticator, token: string): number | undefined {
    const seed = this.deps.vault.open(sealedSeed, `authenticator:${id}:${userId}`);
    try {
      return matchStep(seed, token, this.deps.clock.now(), this.settings);
    } finally {
      // Overwritten now: it would stay in memory until the garbage collector comes to it.
      seed.fill(0);
    }
  }
}

/** How one-time codes of `digits` digits are told from other input. */
export function typedTotp(digits: number): TypedProof {
  return {
    digits,
    read: readTotp,
    tail: (field) => digitsAtEnd(field, digits, digits) ?? digitsAtEnd(field, digits, digits + 1),
  };
}

/** A recovery code may have no letter in it, but it has 12 characters; no authenticator shows so many. */
function readTotp(typed: string): string | undefined {
  const token = readGivenCode(typed.replaceAll('-', ''));
  return token !== undefined && /^[0-9]{1,10}$/.test(token) ? token : undefined;
}

/** @param length of the tail: that of the code, or one more where a blank stands in its middle */
function digitsAtEnd(field: string, digits: number, length: number) {
  const tail = field.slice(-length);
  return tail.length === length && isCodeInGroups(tail, digits) ? splitTail(field, length) : undefined;
}

function isCodeInGroups(tail: string, digits: number): boolean {
  if (tail.length === digits) return /^[0-9]+$/.test(tail);
  const groups = tail.split(/\s/);
  const shortest = Math.floor(digits / 2);
  return groups.length === 2 && groups.every((group) => group.length >= shortest && /^[0-9]+$/.test(group));
}
