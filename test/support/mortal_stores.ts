import { StoreUnavailable } from '../../src/storage/errors.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** Whose commits are counted: those that name one of these users, or, with `alsoNameless`, none at all, as those of pages. */
export interface Owned {
  readonly userId: string;
  readonly alsoNameless?: boolean;
}

const NO_ONE: Owned = { userId: '' };

/** Stores whose process dies at a commit of a user: what it wrote stays, and it writes nothing further. */
export class MortalStores {
  private owned = NO_ONE;
  private at = 0;
  private passed = 0;
  private isDead = false;

  constructor(stores: ReadonlySet<Storage>) {
    for (const store of stores) {
      const commit = store.commit;
      const mortal = async (...[accounts, unit]: Parameters<typeof commit>) => {
        if (this.isDead) throw cut();
        if (!this.counts(accounts)) return commit(accounts, unit);
        this.passed += 1;
        const [isBefore, isBehind] = [2 * this.passed - 1, 2 * this.passed].map((point) => point === this.at);
        if (isBefore || isBehind) this.isDead = true;
        const answer = isBefore ? undefined : await commit(accounts, unit);
        if (this.isDead) throw cut();
        return answer;
      };
      Object.assign(store, { commit: mortal });
    }
  }

  /** Whether that point was reached: odd ones stand before a commit, even ones behind it. */
  async dying(owned: Owned, at: number, act: () => Promise<unknown>): Promise<boolean> {
    Object.assign(this, { owned, at, passed: 0, isDead: false });
    await act().catch(() => undefined);
    const hasDied = this.isDead;
    Object.assign(this, { owned: NO_ONE, isDead: false });
    return hasDied;
  }

  private counts(accounts: readonly string[]): boolean {
    const { userId, alsoNameless = false } = this.owned;
    return accounts.includes(userId) || (alsoNameless && accounts.length === 0);
  }
}

function cut(): StoreUnavailable {
  return new StoreUnavailable(new Error('the process has died'));
}
