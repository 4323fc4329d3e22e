import { dropInParts } from '../dropping.ts';
import type { Driver, Write } from '../statement.ts';
import {
  type Authenticator,
  type Enrolled,
  enrolledIn,
  findAnyEnrolled,
  findAuthenticators,
  findEnrolled,
  findOwing,
  listEnrolled,
} from './authenticators.ts';
import { type EmergencyCode, findEmergencyCode } from './emergency_codes.ts';
import {
  type AfterRemoval,
  activating,
  type Confirmation,
  deletingRecoverySet,
  isConfirmed,
  removingAllFactors,
  removingAuthenticator,
  removingEverything,
  removingKind,
  removingKindKeepingLast,
  replacingRecoverySet,
} from './factor_changes.ts';
import { endProofsAndPages } from './proofs.ts';
import { findRecoveryRows, type NewRecoverySet, type RecoverySet } from './recovery_sets.ts';
import {
  countSetupFailure,
  dropExpiredSetups,
  dropFailedSetup,
  dropSetups,
  findSetup,
  giveSetupBack,
  keepSetup,
  type Replaces,
  type Setup,
  takeSetup,
} from './setups.ts';

/**
 * What a user has enrolled. Every change of it ends what that user has proven or begun before, as `endProofs` does.
 * `also` and `after` are written with a change, in the same unit: what puts it on record.
 */
export interface FactorStore {
  /** Whether `userId` has 2FA on (at least one authenticator). */
  isEnrolled(userId: string): Promise<boolean>;
  /** What `userId` has enrolled, in one look; undefined if 2FA is off. */
  owing(userId: string): Promise<Enrolled | undefined>;
  /** Whether any account has 2FA on. */
  anyoneEnrolled(): Promise<boolean>;
  /** All user ids with 2FA on, in order. */
  enrolledUsers(): Promise<string[]>;

  /** @param kind of one factor; all of them where it is left out */
  authenticators(userId: string, kind?: string): Promise<Authenticator[]>;
  /**
   * Removes one authenticator. False if there is no such one. The last one gone switches 2FA off and removes the codes.
   * @param keepLast the last one stays
   */
  removeAuthenticator(
    userId: string,
    authenticatorId: string,
    after?: AfterRemoval,
    keepLast?: boolean,
  ): Promise<boolean>;
  /**
   * Removes the authenticators of one kind; answers how many there were. The last one gone switches 2FA off, as
   * above.
   */
  removeKind(userId: string, kind: string, after?: AfterRemoval): Promise<number>;
  /** The same where the user has others; false if they are the last ones, which stay. */
  removeKindKeepingLast(userId: string, kind: string, after?: AfterRemoval): Promise<boolean>;
  /** Turns 2FA off, as its user wants it: false where it is off. */
  turnOff(userId: string, also?: Write): Promise<boolean>;
  /**
   * Removes every authenticator, set-up, recovery code, lane and known place of `userId`; answers how many
   * authenticators there were.
   */
  removeAllFactors(userId: string): Promise<number>;

  /**
   * Ends what a user has proven or begun under the present factors and password: held logins, claimed ones too,
   * which the next sweep logs out, page sessions likewise, sessions, login tokens, fresh logins, set-ups (R12, attacks 153
   * and 180).
   */
  endProofs(userId: string, also?: Write): Promise<void>;

  /**
   * Keeps a set-up; one that the same user began before is dropped.
   * @param onlyWhileOff false, and nothing is kept, where the user has 2FA on
   */
  beginSetup(setup: Setup, onlyWhileOff?: boolean): Promise<boolean>;
  dropExpiredSetups(): Promise<void>;
  findSetup(id: string): Promise<Setup | undefined>;
  /**
   * Takes a live set-up for one confirmation until `until`, or until it is given back: false if another one has it,
   * or it is gone. A confirmation that dies leaves it to the next, after that time.
   * @param name in place of the one that it was begun with
   */
  takeSetup(id: string, until: number, name?: string): Promise<boolean>;
  giveSetupBack(id: string): Promise<void>;
  /** Counts a wrong first code; at `limit` the set-up is gone. Answers how many there were, `limit` if it was gone. */
  countSetupFailure(id: string, limit: number): Promise<number>;
  /**
   * Turns the set-up into an authenticator whose enrolment step is spent, in the place of those that it replaces, and
   * with what is to become of the recovery codes: all or nothing. False if the set-up was gone (another confirmation
   * won), or 2FA was turned on or off meanwhile.
   */
  activate(confirmation: Confirmation, also?: Write): Promise<boolean>;

  recoverySet(userId: string): Promise<RecoverySet | undefined>;
  /** Replaces the codes of an enrolled user at `set.generatedAt`; the old ones are dead at once. False if 2FA is off. */
  replaceRecoverySet(userId: string, set: NewRecoverySet, also?: Write): Promise<boolean>;
  deleteRecoverySet(userId: string, also?: Write): Promise<boolean>;
  /** The code that an operator gave out for `userId`, while it is good. */
  emergencyCode(userId: string): Promise<EmergencyCode | undefined>;
}

const NOTHING: AfterRemoval = { someLeft: [], noneLeft: [] };

/** What users have enrolled: 2FA is on for a user who has an authenticator. */
export class FactorTables implements FactorStore {
  constructor(private readonly driver: Driver) {}

  async isEnrolled(userId: string): Promise<boolean> {
    return (await this.driver.read(findEnrolled(userId))).length > 0;
  }

  async owing(userId: string): Promise<Enrolled | undefined> {
    return enrolledIn(await this.driver.read(findOwing(userId)));
  }

  async anyoneEnrolled(): Promise<boolean> {
    return (await this.driver.read(findAnyEnrolled())).length > 0;
  }

  async enrolledUsers(): Promise<string[]> {
    return (await this.driver.read(listEnrolled())).map((row) => row.userId);
  }

  authenticators(userId: string, kind?: string): Promise<Authenticator[]> {
    return this.driver.read(findAuthenticators(userId, kind));
  }

  async removeAuthenticator(
    userId: string,
    authenticatorId: string,
    after = NOTHING,
    keepLast = false,
  ): Promise<boolean> {
    const removal = removingAuthenticator(userId, authenticatorId, after, keepLast);
    return (await this.driver.commit([userId], removal)).won;
  }

  async removeKind(userId: string, kind: string, after = NOTHING): Promise<number> {
    const [removed] = await this.driver.commit([userId], removingKind(userId, kind, after));
    return removed;
  }

  async removeKindKeepingLast(userId: string, kind: string, after = NOTHING): Promise<boolean> {
    return (await this.driver.commit([userId], removingKindKeepingLast(userId, kind, after))).won;
  }

  async turnOff(userId: string, also: Write = []): Promise<boolean> {
    return (await this.driver.commit([userId], removingEverything(userId, also))).won;
  }

  async removeAllFactors(userId: string): Promise<number> {
    const [removed] = await this.driver.commit([userId], removingAllFactors(userId));
    return removed;
  }

  async endProofs(userId: string, also: Write = []): Promise<void> {
    await this.driver.commit([userId], [endProofsAndPages(userId), also]);
  }

  async beginSetup(setup: Setup, onlyWhileOff = false): Promise<boolean> {
    const { userId } = setup;
    const [, kept] = await this.driver.commit([userId], [dropSetups(userId), keepSetup(setup, onlyWhileOff)]);
    return kept !== undefined;
  }

  async dropExpiredSetups(): Promise<void> {
    await dropInParts(this.driver, [dropExpiredSetups()]);
  }

  async findSetup(id: string): Promise<Setup | undefined> {
    const [row] = await this.driver.read(findSetup(id));
    if (row === undefined) return undefined;
    return { ...row, replaces: row.replaces === null ? [] : (JSON.parse(row.replaces) as Replaces) };
  }

  async takeSetup(id: string, until: number, name?: string): Promise<boolean> {
    return (await this.driver.commit([], takeSetup(id, until, name ?? null))) !== undefined;
  }

  async giveSetupBack(id: string): Promise<void> {
    await this.driver.commit([], giveSetupBack(id));
  }

  async countSetupFailure(id: string, limit: number): Promise<number> {
    const [counted] = await this.driver.commit([], [countSetupFailure(id), dropFailedSetup(id, limit)]);
    return counted?.failures ?? limit;
  }

  async activate(confirmation: Confirmation, also: Write = []): Promise<boolean> {
    return isConfirmed(await this.driver.commit([confirmation.userId], activating(confirmation, also)));
  }

  async recoverySet(userId: string): Promise<RecoverySet | undefined> {
    const rows = await this.driver.read(findRecoveryRows(userId));
    const [first] = rows;
    if (first === undefined) return undefined;
    const { salt, pepperKeyId, generatedAt } = first;
    const codes = rows.map(({ position, hash, tag, usedAt }) => ({ position, hash, tag, usedAt }));
    return { salt, pepperKeyId, generatedAt, codes };
  }

  async replaceRecoverySet(userId: string, set: NewRecoverySet, also: Write = []): Promise<boolean> {
    return (await this.driver.commit([userId], replacingRecoverySet(userId, set, also))).won;
  }

  async deleteRecoverySet(userId: string, also: Write = []): Promise<boolean> {
    return (await this.driver.commit([userId], deletingRecoverySet(userId, also))).won;
  }

  async emergencyCode(userId: string): Promise<EmergencyCode | undefined> {
    return (await this.driver.read(findEmergencyCode(userId)))[0];
  }
}
