import { when } from '../statement.ts';
import type {
  Authenticator,
  Confirmation,
  Driver,
  FactorStore,
  NewRecoverySet,
  RecoverySet,
  Setup,
} from '../stores.ts';
import { nameAccount } from './accounts.ts';
import {
  addAuthenticator,
  countAuthenticators,
  findAnyEnrolled,
  findAuthenticators,
  findEnrolled,
  findEnrolledByName,
  listEnrolled,
  markFirstEnrolment,
  removeAuthenticator,
  removeAuthenticators,
} from './authenticators.ts';
import { forgetPlaces, forgetPlacesWithoutFactor } from './known_places.ts';
import { clearLanes, clearLanesWithoutFactor } from './lanes.ts';
import { endProofs, endProofsAfterRemoval } from './proofs.ts';
import {
  deleteRecoverySet,
  deleteRecoverySetWithoutFactor,
  findRecoveryRows,
  putRecoveryCodes,
  putRecoverySet,
} from './recovery_sets.ts';
import {
  confirmSetup,
  countSetupFailure,
  dropExpiredSetups,
  dropFailedSetup,
  dropSetups,
  findSetup,
  giveSetupBack,
  keepSetup,
  takeSetup,
} from './setups.ts';

/** What users have enrolled: 2FA is on for a user who has an authenticator. */
export class FactorTables implements FactorStore {
  constructor(private readonly driver: Driver) {}

  async isEnrolled(userId: string): Promise<boolean> {
    return (await this.driver.read(findEnrolled(userId))).length > 0;
  }

  async anyoneEnrolled(): Promise<boolean> {
    return (await this.driver.read(findAnyEnrolled())).length > 0;
  }

  async mayBeEnrolled(foldedLocalpart: string): Promise<boolean> {
    return (await this.driver.read(findEnrolledByName(foldedLocalpart))).length > 0;
  }

  async enrolledUsers(): Promise<string[]> {
    return (await this.driver.read(listEnrolled())).map((row) => row.userId);
  }

  authenticators(userId: string, kind?: string): Promise<Authenticator[]> {
    return this.driver.read(findAuthenticators(userId, kind));
  }

  async removeAuthenticator(userId: string, authenticatorId: string) {
    const removal = await this.driver.commit(
      [userId],
      [
        when(removeAuthenticator(userId, authenticatorId), {
          won: [
            deleteRecoverySetWithoutFactor(userId),
            endProofsAfterRemoval(userId),
            forgetPlacesWithoutFactor(userId),
          ],
          lost: [],
        }),
        countAuthenticators(userId),
      ],
    );
    const [{ won }, [counted]] = removal;
    return { removed: won, remaining: counted?.count ?? 0 };
  }

  async removeKind(userId: string, kind: string) {
    const [removed, , , , , [counted]] = await this.driver.commit(
      [userId],
      [
        removeAuthenticators(userId, kind),
        deleteRecoverySetWithoutFactor(userId),
        endProofsAfterRemoval(userId),
        clearLanesWithoutFactor(userId),
        forgetPlacesWithoutFactor(userId),
        countAuthenticators(userId),
      ],
    );
    return { removed, remaining: counted?.count ?? 0 };
  }

  async removeAllFactors(userId: string): Promise<number> {
    const [removed] = await this.driver.commit(
      [userId],
      [
        removeAuthenticators(userId),
        deleteRecoverySetWithoutFactor(userId),
        endProofsAfterRemoval(userId),
        clearLanes(userId),
        forgetPlaces(userId),
      ],
    );
    return removed;
  }

  async endProofs(userId: string): Promise<void> {
    await this.driver.commit([userId], endProofs(userId));
  }

  async beginSetup(setup: Setup): Promise<void> {
    await this.driver.commit([setup.userId], [dropSetups(setup.userId), keepSetup(setup)]);
  }

  async dropExpiredSetups(): Promise<void> {
    await this.driver.commit([], dropExpiredSetups());
  }

  async findSetup(id: string): Promise<Setup | undefined> {
    return (await this.driver.read(findSetup(id)))[0];
  }

  async takeSetup(id: string, until: number): Promise<boolean> {
    return (await this.driver.commit([], takeSetup(id, until))) !== undefined;
  }

  async giveSetupBack(id: string): Promise<void> {
    await this.driver.commit([], giveSetupBack(id));
  }

  async countSetupFailure(id: string, limit: number): Promise<number> {
    const [counted] = await this.driver.commit([], [countSetupFailure(id), dropFailedSetup(id, limit)]);
    return counted?.failures ?? limit;
  }

  async activate(confirmation: Confirmation): Promise<boolean> {
    const { setupId, userId, authenticatorId, foldedLocalpart, sealedSeed, step, recovery } = confirmation;
    const activation = await this.driver.commit(
      [userId],
      when(confirmSetup(setupId, userId), {
        won: [
          nameAccount(userId, foldedLocalpart),
          addAuthenticator(setupId, { id: authenticatorId, sealedSeed, lastStep: step }),
          putRecoverySet(userId, recovery),
          putRecoveryCodes(userId, recovery),
          markFirstEnrolment(),
          endProofs(userId),
        ],
        lost: [],
      }),
    );
    return activation.won;
  }

  async recoverySet(userId: string): Promise<RecoverySet | undefined> {
    const rows = await this.driver.read(findRecoveryRows(userId));
    const [first] = rows;
    if (first === undefined) return undefined;
    const { salt, pepperKeyId, generatedAt } = first;
    const codes = rows.map(({ position, hash, tag, usedAt }) => ({ position, hash, tag, usedAt }));
    return { salt, pepperKeyId, generatedAt, codes };
  }

  async replaceRecoverySet(userId: string, set: NewRecoverySet): Promise<boolean> {
    const replacement = await this.driver.commit(
      [userId],
      when(putRecoverySet(userId, set), {
        won: [putRecoveryCodes(userId, set), endProofs(userId)],
        lost: [],
      }),
    );
    return replacement.won;
  }

  async deleteRecoverySet(userId: string): Promise<boolean> {
    const deletion = await this.driver.commit(
      [userId],
      when(deleteRecoverySet(userId), { won: endProofs(userId), lost: [] }),
    );
    return deletion.won;
  }
}
