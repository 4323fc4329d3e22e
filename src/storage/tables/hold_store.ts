import { type Driver, type Effect, effect, type Write, when } from '../statement.ts';
import {
  countLiveHolds,
  dropHold,
  type EndedHold,
  endHold,
  findHeldLogin,
  type HeldLogin,
  keepHold,
  leaseEndedHolds,
  leaseHoldUntil,
  unclaimHold,
} from './holds.ts';

export interface HoldStore {
  hold(held: HeldLogin): Promise<void>;
  find(id: string): Promise<HeldLogin | undefined>;
  unclaim(id: string, claimant: string): Promise<void>;
  /** Ends one hold now, for its claimant: false if it was ended or lost meanwhile. */
  end(id: string, claimant: string): Promise<boolean>;
  countForUser(userId: string): Promise<number>;
  /** Up to `limit` ended holds, leased to this caller until `leaseUntil`: no two callers get the same one. */
  leaseEnded(leaseUntil: number, limit: number): Promise<EndedHold[]>;
  /** Gives an ended hold out again no sooner than at `until`. */
  leaseUntil(id: string, until: number): Promise<void>;
  /** The hold was logged out, or need not be: it is gone. `also` is written with that, if it was still there. */
  forget(id: string, also?: Write): Promise<void>;
}

/** The held logins (R10, R12). */
export class HoldTable implements HoldStore {
  constructor(private readonly driver: Driver) {}

  async hold(held: HeldLogin): Promise<void> {
    await this.driver.commit([held.userId], keepHold(held));
  }

  async find(id: string): Promise<HeldLogin | undefined> {
    return (await this.driver.read(findHeldLogin(id)))[0];
  }

  async unclaim(id: string, claimant: string): Promise<void> {
    await this.driver.commit([], unclaimHold(id, claimant));
  }

  async end(id: string, claimant: string): Promise<boolean> {
    return (await this.driver.commit([], endHold(id, claimant))) !== undefined;
  }

  async countForUser(userId: string): Promise<number> {
    return (await this.driver.read(countLiveHolds(userId)))[0]?.count ?? 0;
  }

  leaseEnded(leaseUntil: number, limit: number): Promise<EndedHold[]> {
    return this.driver.commit([], leaseEndedHolds(leaseUntil, limit));
  }

  async leaseUntil(id: string, until: number): Promise<void> {
    await this.driver.commit([], leaseHoldUntil(id, until));
  }

  async forget(id: string, also: Write = []): Promise<void> {
    await this.driver.commit([], when(dropHold(id), { won: also, lost: [] }));
  }
}

/** What is sealed in a hold is something else from now on; and no equal sign-in joins it any more. */
export function resealHold(id: string, sealedGrant: Buffer): Effect {
  return effect(
    `UPDATE holds SET sealed_grant = :sealedGrant, join_key = NULL, folded_join_key = NULL, owner_join_key = NULL
     WHERE id = :id`,
    { id, sealedGrant },
  );
}
