import type { Database } from 'better-sqlite3';
import { SchemaTooNew } from '../../errors.ts';
import { firstTables } from './0001_first_tables.ts';
import { signInPage } from './0002_sign_in_page.ts';
import { sessionTurns } from './0003_session_turns.ts';
import { leases } from './0004_leases.ts';
import { setupTurns } from './0005_setup_turns.ts';
import { sessionPots } from './0006_session_pots.ts';
import { databaseIdentity } from './0007_database_identity.ts';
import { endedLoginTokens } from './0008_ended_login_tokens.ts';
import { boundedAudit } from './0009_bounded_audit.ts';
import { logoutAttempts } from './0010_logout_attempts.ts';
import { holdOwnerKey } from './0011_hold_owner_key.ts';
import { accountVersion } from './0012_account_version.ts';
import { sessionAddresses } from './0013_session_addresses.ts';
import { lanes } from './0014_lanes.ts';
import { processes } from './0015_processes.ts';
import { factorKinds } from './0016_factor_kinds.ts';
import { probes } from './0017_probes.ts';
import { sealingKey } from './0018_sealing_key.ts';
import { sessionVersion } from './0019_session_version.ts';

/** In order, never changed once released: the n-th one leads to schema version n. */
export const MIGRATIONS: readonly string[] = [
  firstTables,
  signInPage,
  sessionTurns,
  leases,
  setupTurns,
  sessionPots,
  databaseIdentity,
  endedLoginTokens,
  boundedAudit,
  logoutAttempts,
  holdOwnerKey,
  accountVersion,
  sessionAddresses,
  lanes,
  processes,
  factorKinds,
  probes,
  sealingKey,
  sessionVersion,
];

/**
 * Brings the database to the newest schema, each migration in a transaction of its own: a crash leaves it at
 * one version or the next. Several processes may start at once; each migration runs once.
 * @param migrations - given by tests only.
 * @throws {SchemaTooNew} a newer version of this program wrote the database.
 */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  while (schemaVersion(database) !== migrations.length) runNext(database, migrations);
}

function runNext(database: Database, migrations: readonly string[]): void {
  const step = database.transaction(() => {
    const version = schemaVersion(database);
    if (version > migrations.length) throw new SchemaTooNew(version, migrations.length);
    const next = migrations[version];
    if (next === undefined) return;
    database.exec(next);
    database.pragma(`user_version = ${version + 1}`);
  });
  // Immediate: the version that was read cannot change under us.
  step.immediate();
}

/** 0 where there are no tables of this program. */
export function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}
