import { toPostgres } from '../../src/storage/postgres/schema_text.ts';
import { MIGRATIONS, READABLE_FROM } from '../../src/storage/sqlite/migrations/migrate.ts';
import { postgresPrograms } from './postgres.ts';
import { TestDatabase } from './test_database.ts';

/** A PostgreSQL database as an older program left it. */
export async function postgresOfSchema(version: number): Promise<TestDatabase> {
  const made = await TestDatabase.make(postgresPrograms());
  await made.administer('CREATE TABLE schema_info (version BIGINT NOT NULL, readable_from BIGINT)');
  for (const migration of MIGRATIONS.slice(0, version)) await made.administer(toPostgres(migration));
  await made.administer(
    `DELETE FROM schema_info; INSERT INTO schema_info VALUES (${version}, ${READABLE_FROM})`,
  );
  return made;
}
