import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { resealHold } from '../storage/tables/hold_store.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { Vault } from '../vault/vault.ts';
import type { HeldLogins } from './held_logins.ts';

export interface RecoveredHoldsDeps {
  readonly storage: Pick<Storage, 'commit'>;
  readonly vault: Vault;
  readonly holds: Pick<HeldLogins, 'open'>;
  readonly homeserver: Homeserver;
}

/**
 * Held logins by which an account was recovered: all other sessions of the account have to end. Until they have, the hold
 * itself says that they still have to (`endsOthers`). So they also end where no one comes back to the page: then the sweep
 * that ends the hold ends them first (`hold_sweeper.ts`). No equal sign-in takes such a hold away.
 */
export class RecoveredHolds {
  constructor(private readonly deps: RecoveredHoldsDeps) {}

  /** What notes in the hold that they have to end; in the unit that recovers the account. @param typed the password of the sign-in */
  owing(held: HeldLogin, typed: string | undefined): Effect {
    return this.saying(held, true, typed);
  }

  /** Signs out all other devices of the owner. False where the homeserver did not say that they are gone. */
  async endOthers(held: HeldLogin, typed: string | undefined, client: ClientAddress): Promise<boolean> {
    const { storage, holds, homeserver } = this.deps;
    const { grant, password = typed, endsOthers } = holds.open(held);
    if (password === undefined) return false;
    try {
      if (!(await grant.endOtherDevices(homeserver, password, client))) return false;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return false;
    }
    // Those who sign in from now on have given the new factor.
    if (endsOthers === true) await storage.commit([held.userId], this.saying(held, false));
    return true;
  }

  private saying(held: HeldLogin, endsOthers: boolean, typed?: string): Effect {
    const { grant, password = typed, ...facts } = this.deps.holds.open(held);
    return resealHold(held.id, grant.seal(this.deps.vault, held, { ...facts, password, endsOthers }));
  }
}
