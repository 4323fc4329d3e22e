import type { PoolClient } from 'pg';
import { SchemaTooNew } from '../errors.ts';
import { MIGRATIONS } from '../sqlite/migrations/migrate.ts';
import { toPostgres } from './schema_text.ts';

/** The key of our lock among the advisory locks of this database: "m2fa" in ASCII. */
const LOCK = 0x6d326661;

const SCHEMA_INFO = 'CREATE TABLE IF NOT EXISTS schema_info (version BIGINT NOT NULL)';

/** Whether the tables have been made. */
export async function hasSchema(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass('schema_info') IS NOT NULL AS made");
  return rows[0]?.made === true;
}

/**
 * Brings the database to the newest schema, in the transaction that is open. Of several processes that start at
 * once one does, and the others wait for it.
 * @throws {SchemaTooNew} a newer version of this program wrote the database.
 */
export async function migrate(client: PoolClient): Promise<void> {
  await lockSchema(client);
  await client.query(SCHEMA_INFO);
  const version = await schemaVersion(client);
  if (version > MIGRATIONS.length) throw new SchemaTooNew(version, MIGRATIONS.length);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) await client.query(toPostgres(migration));
  await client.query('DELETE FROM schema_info');
  await client.query('INSERT INTO schema_info VALUES ($1)', [MIGRATIONS.length]);
}

/** Lets no other process look at the schema in order to change it, for the rest of the transaction. */
export async function lockSchema(client: PoolClient): Promise<void> {
  await client.query('SET LOCAL lock_timeout = 0');
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

/** 0 where there are no tables of this program. */
export async function schemaVersion(client: PoolClient): Promise<number> {
  if (!(await hasSchema(client))) return 0;
  const { rows } = await client.query<{ version: number }>('SELECT version FROM schema_info');
  return rows[0]?.version ?? 0;
}
