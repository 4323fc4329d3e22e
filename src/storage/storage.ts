import type { Driver } from './statement.ts';
import { type AuditStore, AuditTable } from './tables/audit.ts';
import { type FactorStore, FactorTables } from './tables/factors.ts';
import { type FreshLoginStore, FreshLoginTable } from './tables/fresh_logins.ts';
import { type HoldStore, HoldTable } from './tables/hold_store.ts';
import { type LoginTokenStore, PassedLoginTokenTable } from './tables/passed_login_tokens.ts';
import { type SessionLeaseStore, SessionLeaseTable } from './tables/session_leases.ts';
import { type SessionStore, SessionTable } from './tables/session_store.ts';
import { type SignInTokenStore, SignInTokenTable } from './tables/sign_in_tokens.ts';

/**
 * What the rest of the program asks of the store. Every method that decides something does so by one conditional
 * write (rule R8): its answer says whether this call was the one that changed the row. Times are milliseconds since
 * the epoch. A store that cannot answer throws `StoreUnavailable`.
 */
export interface Storage extends Driver {
  readonly factors: FactorStore;
  readonly sessions: SessionStore;
  readonly sessionLeases: SessionLeaseStore;
  readonly holds: HoldStore;
  readonly loginTokens: LoginTokenStore;
  readonly signInTokens: SignInTokenStore;
  readonly freshLogins: FreshLoginStore;
  readonly audit: AuditStore;
}

/** The whole store, asked by a connection that no request uses; where there is no pool of them, the store itself. */
export function storageAside(storage: Storage): Storage {
  const driver = storage.aside?.();
  return driver === undefined ? storage : storageOn(driver);
}

/** The whole store on one database; what is asked of it is the same on each. */
export function storageOn(driver: Driver): Storage {
  return {
    factors: new FactorTables(driver),
    sessions: new SessionTable(driver),
    sessionLeases: new SessionLeaseTable(driver),
    holds: new HoldTable(driver),
    loginTokens: new PassedLoginTokenTable(driver),
    signInTokens: new SignInTokenTable(driver),
    freshLogins: new FreshLoginTable(driver),
    audit: new AuditTable(driver),
    commit: (accounts, unit) => driver.commit(accounts, unit),
    read: (query) => driver.read(query),
    pool: () => driver.pool?.(),
    aside: () => driver.aside?.(),
    check: () => driver.check(),
    close: () => driver.close(),
  };
}
