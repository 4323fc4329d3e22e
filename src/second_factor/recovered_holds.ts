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
 * Held logins by which an account was recovered: no other session of it goes on. Until the others have ended the hold says so
 * itself, and its own end brings it about (`hold_sweeper.ts`): that waits for no one to come back to the page. No equal
 * sign-in takes such a hold away.
 */
export class RecoveredHolds {
  constructor(private readonly deps: RecoveredHoldsDeps) {}

  /** In the unit that recovers the account. @param typed the password of the sign-in */
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
