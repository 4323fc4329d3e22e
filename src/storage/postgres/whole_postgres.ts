import type { PoolClient } from 'pg';
import type { Clock } from '../../system/clock.ts';
import { CannotOpen } from '../errors.ts';
import type { CommitAnswer, Unit } from '../statement.ts';
import type { WholeAccess, WholeDatabase } from '../whole_database.ts';
import { lockAccounts } from './accounts.ts';
import { type PostgresAddress, poolConfig, postgresName, requireFiles } from './address.ts';
import { Connections } from './connections.ts';
import { LONGEST_CHANGE_MS, lockSchema, migrate, schemaVersion } from './migrate.ts';
import { asStoreError, isRefusal } from './store_error.ts';
import { RunningUnit } from './unit_of_work.ts';

const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const BEGIN_WRITING = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';

/** One transaction on a PostgreSQL database. */
export async function onWholePostgres<T>(
  address: PostgresAddress,
  { access, clock }: { readonly access: WholeAccess; readonly clock: Clock | undefined },
  work: (database: WholeDatabase) => Promise<T>,
): Promise<T> {
  requireFiles(address);
  const connections = new Connections({ ...poolConfig(address), max: 1, query_timeout: LONGEST_CHANGE_MS });
  try {
    return await connections.use(async (client) => {
      await client.query(access === 'read' ? BEGIN_READING : BEGIN_WRITING);
      // A process that starts waits here for us, before it looks at the schema.
      if (access !== 'read') await lockSchema(client);
      const result = await work(await databaseOn(client, clock));
      await client.query(access === 'rehearse' ? 'ROLLBACK' : 'COMMIT');
      return result;
    });
  } catch (error) {
    throw isRefusal(error)
      ? new CannotOpen(postgresName(address), error.message, error)
      : asStoreError(error);
  } finally {
    await connections.end();
  }
}

async function databaseOn(client: PoolClient, clock: Clock | undefined): Promise<WholeDatabase> {
  const now = clock?.now() ?? (await lockAccounts(client, [])).time;
  const unit = new RunningUnit((statement) => client.query(statement), now);
  return {
    version: () => schemaVersion(client),
    migrate: () => migrate(client),
    write: async <const U extends Unit>(given: U) => {
      const answer = (await unit.write(given)) as CommitAnswer<U>;
      (await unit.enter())();
      return answer;
    },
  };
}
