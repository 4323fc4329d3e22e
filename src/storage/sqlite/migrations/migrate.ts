import type { Database } from 'better-sqlite3';
import { SchemaTooNew, SchemaTooOld } from '../../errors.ts';
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
import { schemaInfo } from './0020_schema_info.ts';
import { emergencyCodes } from './0021_emergency_codes.ts';
import { notices } from './0022_notices.ts';
import { adminAnswers } from './0023_admin_answers.ts';
import { auditChains } from './0024_audit_chains.ts';
import { knownUsers } from './0025_known_users.ts';
import { policies } from './0026_policies.ts';
import { policyTold } from './0027_policy_told.ts';
import { pageSessions } from './0028_page_sessions.ts';
import { moreTime } from './0029_more_time.ts';
import { replacingSetups } from './0030_replacing_setups.ts';
import { devicePasswords } from './0031_device_passwords.ts';
import { credentials } from './0032_credentials.ts';
import { visits } from './0033_visits.ts';
import { accountRecovery } from './0034_account_recovery.ts';
import { factorTokens } from './0035_factor_tokens.ts';
import { sweepIndexes } from './0036_sweep_indexes.ts';
import { oauth } from './0037_oauth.ts';
import { recoveryTold } from './0038_recovery_told.ts';
import { textMessages } from './0039_text_messages.ts';
import { boundedReads } from './0040_bounded_reads.ts';

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
  schemaInfo,
  emergencyCodes,
  notices,
  adminAnswers,
  auditChains,
  knownUsers,
  policies,
  policyTold,
  pageSessions,
  moreTime,
  replacingSetups,
  devicePasswords,
  credentials,
  visits,
  accountRecovery,
  factorTokens,
  sweepIndexes,
  oauth,
  recoveryTold,
  textMessages,
  boundedReads,
];

/**
 * A program that knows this version can work on the newest schema, beside one that knows it: what came after only adds
 * (docs/operate.md). It grows one release after what an older program needs was no longer used.
 */
export const READABLE_FROM = 20;

/**
 * Brings the database to the newest schema, each migration in a transaction of its own: a crash leaves it at
 * one version or the next. Several processes may start at once; each migration runs once. A newer schema that this
 * program can work on is left as it is.
 * @param migrations - given by tests only.
 * @throws {SchemaTooNew} a newer version of this program wrote the database, and this one cannot work on it.
 */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  while (schemaVersion(database) < migrations.length) runNext(database, migrations);
  requireReadable(schemaOf(database), migrations.length);
}

function runNext(database: Database, migrations: readonly string[]): void {
  const step = database.transaction(() => {
    const version = schemaVersion(database);
    const next = migrations[version];
    if (next === undefined) return;
    database.exec(next);
    database.pragma(`user_version = ${version + 1}`);
    if (!hasInfo(database)) return;
    database.exec('DELETE FROM schema_info');
    const newest = Math.min(READABLE_FROM, version + 1);
    database.prepare('INSERT INTO schema_info VALUES (?, ?)').run(version + 1, newest);
  });
  // Immediate: the version that was read cannot change under us.
  step.immediate();
}

/** What a database says of its schema. */
export interface Schema {
  readonly version: number;
  /** Undefined where it does not say. */
  readonly readableFrom: number | undefined;
}

/** Whether a program that knows the schema up to `known` can work on it. */
export function isReadable({ version, readableFrom }: Schema, known: number = MIGRATIONS.length): boolean {
  return version <= known || (readableFrom ?? version) <= known;
}

/** @throws SchemaTooNew if a program that knows the schema up to `known` cannot work on it */
export function requireReadable(schema: Schema, known: number): void {
  if (!isReadable(schema, known)) throw new SchemaTooNew(schema.version, known);
}

/** @throws SchemaTooOld */
export function requireNewest(version: number, name: string): void {
  if (version < MIGRATIONS.length) throw new SchemaTooOld(name, version, MIGRATIONS.length);
}

/** 0 where there are no tables of this program. */
export function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

export function schemaOf(database: Database): Schema {
  return { version: schemaVersion(database), readableFrom: readableFrom(database) };
}

function readableFrom(database: Database): number | undefined {
  if (!hasInfo(database)) return undefined;
  const ofVersion = 'SELECT readable_from FROM schema_info WHERE version = ?';
  const found: unknown = database.prepare(ofVersion).pluck().get(schemaVersion(database));
  return typeof found === 'number' ? found : undefined;
}

function hasInfo(database: Database): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_info'").get() !== undefined;
}
