import { timingSafeEqual } from 'node:crypto';
import { type Json, type JsonObject, RECOVERY_STAGE } from '../../matrix/wire.ts';
import type { Enrolled } from '../../storage/tables/authenticators.ts';
import { spendEmergencyCode } from '../../storage/tables/emergency_codes.ts';
import type { FactorStore } from '../../storage/tables/factors.ts';
import {
  codesLeftIn,
  type RecoveryCode,
  type RecoverySet,
  spendRecoveryCode,
} from '../../storage/tables/recovery_sets.ts';
import type { Vault } from '../../vault/vault.ts';
import type { TypedProof } from '../description.ts';
import type { Attempt, Factor, FactorVerdict } from '../factor.ts';
import { readGivenCode, splitTail } from '../given_code.ts';
import { readRecoveryCode } from './recovery_code.ts';
import { type HashedWith, type RecoveryHasher, recoveryTag } from './recovery_hasher.ts';
import { RECOVERY_AUTH, RECOVERY_EVENTS } from './recovery_words.ts';

const WITH_DASHES = /^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/i;
const BEHIND_BLANK = /^\s[0-9a-z]{12}$/i;

/**
 * Codes on paper, each for one use, for when the phone is gone; and a code that an operator gives out, which is like
 * them, but ends by itself and is in no count.
 */
export class RecoveryFactor implements Factor {
  readonly kind = 'recovery';
  readonly stage = RECOVERY_STAGE;
  readonly role = 'backup';
  readonly about = "One of the user's unused recovery codes.";
  readonly authSchema = RECOVERY_AUTH;
  readonly proofField = 'token';
  readonly typed: TypedProof;
  readonly events = RECOVERY_EVENTS;

  /** @param digits of the one-time codes that may stand where a recovery code may */
  constructor(
    private readonly deps: {
      readonly store: FactorStore;
      readonly vault: Vault;
      readonly hasher: RecoveryHasher;
      /** Whether the operator lets this user have codes. */
      readonly mayHaveCodes: (userId: string) => Promise<boolean>;
    },
    digits: number,
  ) {
    this.typed = typedRecovery(digits);
  }

  async available(userId: string, { codesLeft, hasEmergencyCode }: Enrolled): Promise<boolean> {
    return hasEmergencyCode || (codesLeft > 0 && (await this.deps.mayHaveCodes(userId)));
  }

  async verify(attempt: Attempt, token: Json): Promise<FactorVerdict> {
    const code = readRecoveryCode(token);
    if (code === undefined) return { is: 'no_match', why: 'malformed' };
    const verdict = await this.inSet(attempt, code);
    return verdict.is === 'match' ? verdict : ((await this.givenByOperator(attempt, code)) ?? verdict);
  }

  private async inSet({ userId, network }: Attempt, code: string): Promise<FactorVerdict> {
    const set = await this.deps.store.recoverySet(userId);
    if (set === undefined || !(await this.deps.mayHaveCodes(userId))) return { is: 'no_match', why: 'wrong' };
    const hashedWith = this.hashedWith(userId, set);
    // A slow hash for a code that may be right only: wrong ones must not cost others their time (attack 90).
    if (!mayHold(set, recoveryTag(code, hashedWith))) return { is: 'no_match', why: 'wrong' };
    const hash = await this.deps.hasher.hash(code, hashedWith, network);
    const found = codeOfHash(set, hash);
    if (found === undefined) return { is: 'no_match', why: 'wrong' };
    if (found.usedAt !== null) return { is: 'no_match', why: 'spent' };
    const detail = { position: found.position, remaining: codesLeftIn(set) - 1 };
    return { is: 'match', spend: spendRecoveryCode(userId, hash), detail };
  }

  /** A match, or undefined: that there is such a code is told to no one. */
  private async givenByOperator(
    { userId, network }: Attempt,
    code: string,
  ): Promise<FactorVerdict | undefined> {
    const given = await this.deps.store.emergencyCode(userId);
    if (given === undefined) return undefined;
    const hashedWith = this.hashedWith(userId, given);
    if (recoveryTag(code, hashedWith) !== given.tag) return undefined;
    const hash = await this.deps.hasher.hash(code, hashedWith, network);
    if (!isHash(given.hash, Buffer.from(hash, 'hex'))) return undefined;
    return { is: 'match', spend: spendEmergencyCode(userId, hash), detail: {}, event: 'emergency_code.used' };
  }

  private hashedWith(
    userId: string,
    { salt, pepperKeyId }: Pick<RecoverySet, 'salt' | 'pepperKeyId'>,
  ): HashedWith {
    return { userId, salt, pepper: this.deps.vault.pepper(pepperKeyId).secret };
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const set = await this.deps.store.recoverySet(userId);
    if (!set) return undefined;
    return {
      remaining: codesLeftIn(set),
      total: set.codes.length,
      generated_at: set.generatedAt,
      codes: set.codes.map(({ position, usedAt }) => ({ position, used_at: usedAt })),
    };
  }
}

/** Whether an unused code has this tag, or none, as in sets that were made before there were tags. */
function mayHold(set: RecoverySet, sought: number): boolean {
  return set.codes.some(({ tag, usedAt }) => usedAt === null && (tag === null || tag === sought));
}

/** Looks at every code, used ones too, in the same time wherever the match stands (attacks 57, 87). */
function codeOfHash(set: RecoverySet, hash: string): RecoveryCode | undefined {
  const sought = Buffer.from(hash, 'hex');
  return set.codes.filter((code) => isHash(code.hash, sought))[0];
}

function isHash(hash: string, sought: Buffer): boolean {
  return timingSafeEqual(Buffer.from(hash, 'hex'), sought);
}

/**
 * How recovery codes are told from other input. What is typed into a field for codes and is not one of another factor
 * is taken for one: a typing mistake is refused as a wrong code.
 * @param digits of the one-time codes that may stand at the same place
 */
export function typedRecovery(digits: number): TypedProof {
  return { read: readGivenCode, tail: (field) => recoveryAtEnd(field, digits) };
}

/** Only with its dashes or after a blank, as a passphrase may end in twelve letters. */
function recoveryAtEnd(field: string, digits: number) {
  if (WITH_DASHES.test(field.slice(-14))) return splitTail(field, 14);
  const bare = field.slice(-13);
  return BEHIND_BLANK.test(bare) && !isWordWithDigits(bare, digits) ? splitTail(field, 12) : undefined;
}

/**
 * A passphrase's last word with the digits of a code behind it ("correct horse staple123456") can be as long as
 * a recovery code. Of the recovery codes not one in ten thousand looks like that, and with dashes none.
 */
function isWordWithDigits(tail: string, digits: number): boolean {
  return /^[0-9]+$/.test(tail.slice(-digits)) && !/[0-9]/.test(tail.slice(0, -digits));
}
