import { describe } from '@jest/globals';
import { Client } from 'pg';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import type { Storage } from '../../src/storage/stores.ts';
import { systemRandom } from '../../src/system/random.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { dropDatabase, newDatabase, postgresPrograms, postgresServer } from '../support/postgres.ts';
import { describeStorage } from './contract.ts';
import { describeLanes } from './lanes.ts';
import { describeUnitsOfWork } from './units_of_work.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

async function openPostgres() {
  const server = await postgresServer(programs ?? '');
  const url = await newDatabase(server);
  const clock = new ManualClock();
  const open: Storage[] = [];
  const openAnother = async () => {
    const storage = await openPostgresStorage({ url, tls: 'disable', pool: 10, clock, random: systemRandom });
    open.push(storage);
    return storage;
  };
  return {
    storage: await openAnother(),
    clock,
    openAnother,
    /** Nobody gets in, and nobody stays in. */
    takeAway: async () => {
      const name = new URL(url).pathname.slice(1);
      const allow = async (allowed: boolean) => {
        const client = new Client({ host: server.socketFolder, user: server.user, database: 'postgres' });
        await client.connect();
        await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allowed}`);
        if (!allowed)
          await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
            name,
          ]);
        await client.end();
      };
      await allow(false);
      return () => allow(true);
    },
    dispose: async () => {
      await Promise.all(open.map((storage) => storage.close()));
      await dropDatabase(server, url);
    },
  };
}

suite('PostgreSQL', () => {
  describeStorage('PostgreSQL', openPostgres);
  describeUnitsOfWork('PostgreSQL', openPostgres);
  describeLanes('PostgreSQL', openPostgres);
});
