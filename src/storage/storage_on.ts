import type { Driver, Storage } from './stores.ts';
import { AuditTable } from './tables/audit.ts';
import { FactorTables } from './tables/factors.ts';
import { FreshLoginTable } from './tables/fresh_logins.ts';
import { HoldTable } from './tables/holds.ts';
import { PassedLoginTokenTable } from './tables/passed_login_tokens.ts';
import { SessionTurnTable } from './tables/session_turns.ts';
import { SessionTable } from './tables/sessions.ts';
import { SignInTokenTable } from './tables/sign_in_tokens.ts';

/** The whole store on one database; what is asked of it is the same on each. */
export function storageOn(driver: Driver): Storage {
  return {
    factors: new FactorTables(driver),
    sessions: new SessionTable(driver),
    sessionTurns: new SessionTurnTable(driver),
    holds: new HoldTable(driver),
    loginTokens: new PassedLoginTokenTable(driver),
    signInTokens: new SignInTokenTable(driver),
    freshLogins: new FreshLoginTable(driver),
    audit: new AuditTable(driver),
    commit: (accounts, unit) => driver.commit(accounts, unit),
    read: (query) => driver.read(query),
    check: () => driver.check(),
    close: () => driver.close(),
  };
}
