import type { ClientBase, PoolClient, QueryConfig } from 'pg';
import { HOUR, SECOND } from '../../system/clock.ts';
import { MIGRATIONS, READABLE_FROM, requireReadable, type Schema } from '../sqlite/migrations/migrate.ts';
import { toPostgres } from './schema_text.ts';

/** The key of our lock among the advisory locks of this database: "m2fa" in ASCII. */
const LOCK = 0x6d326661;

/**
 * How long a statement may take that goes through whole tables: on a large database longer than one of a request, and
 * one that is cut off would begin from nothing each time.
 */
export const LONGEST_CHANGE_MS = HOUR;
/** How long another process that changes the schema is waited for at once. */
const LONGEST_WAIT_MS = 10 * SECOND;

/** Made before the first migration; those of the first versions have one column. */
const SCHEMA_INFO = `
  CREATE TABLE IF NOT EXISTS schema_info (version BIGINT NOT NULL);
  ALTER TABLE schema_info ADD COLUMN IF NOT EXISTS readable_from BIGINT`;

/** Whether the tables have been made. */
export async function hasSchema(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass('schema_info') IS NOT NULL AS made");
  return rows[0]?.made === true;
}

/**
 * Brings the database to the newest schema, in the transaction that is open. Of several processes that start at
 * once one does, and the others wait for it. A newer schema that this program can work on is left as it is.
 * @throws {SchemaTooNew} a newer version of this program wrote the database, and this one cannot work on it.
 */
export async function migrate(client: PoolClient): Promise<void> {
  await lockSchema(client);
  const schema = await schemaOf(client);
  requireReadable(schema, MIGRATIONS.length);
  if (schema.version >= MIGRATIONS.length) return;
  await client.query(SCHEMA_INFO);
  for (const migration of MIGRATIONS.slice(schema.version)) {
    await client.query(within(LONGEST_CHANGE_MS, { text: toPostgres(migration) }));
  }
  await client.query('DELETE FROM schema_info');
  await client.query('INSERT INTO schema_info (version, readable_from) VALUES ($1, $2)', [
    MIGRATIONS.length,
    READABLE_FROM,
  ]);
}

/** Lets no other process look at the schema in order to change it, for the rest of the transaction. */
export async function lockSchema(client: PoolClient): Promise<void> {
  await client.query('SET LOCAL lock_timeout = 0');
  const lock = { text: 'SELECT pg_advisory_xact_lock($1)', values: [LOCK] };
  await client.query(within(LONGEST_WAIT_MS, lock));
}

/** A statement with a time of its own, which the types of pg do not know. */
function within(limitMs: number, statement: QueryConfig): QueryConfig {
  return Object.assign(statement, { query_timeout: limitMs });
}

/** 0 where there are no tables of this program. */
export async function schemaVersion(client: PoolClient): Promise<number> {
  return (await schemaOf(client)).version;
}

/** What the database says of its schema; version 0 where there are no tables of this program. */
export async function schemaOf(client: ClientBase): Promise<Schema> {
  if (!(await hasSchema(client))) return { version: 0, readableFrom: undefined };
  // Also where the second column is not there yet.
  const { rows } = await client.query<{ info: Record<string, number | null> }>(
    'SELECT to_jsonb(schema_info) AS info FROM schema_info',
  );
  const { version, readable_from: readableFrom } = rows[0]?.info ?? {};
  return { version: version ?? 0, readableFrom: readableFrom ?? undefined };
}
