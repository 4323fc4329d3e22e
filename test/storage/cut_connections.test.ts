import { describe, expect, jest, test } from '@jest/globals';
import { Pool } from 'pg';
import { Connections } from '../../src/storage/postgres/connections.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

// The library tells of it by an event: one that nothing hears reaches the process, and Jest fails the test.
suite('attack 116: a connection that the database cuts while it is lent', () => {
  test.each(['between two statements', 'during a statement'])('%s: the process lives', async (when) => {
    const database = await TestDatabase.make(programs);
    const connections = new Connections({ connectionString: database.url, max: 2 });
    const cutOff = connections.inTransaction(async (client) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
      const statement = when.startsWith('during') ? client.query('SELECT pg_sleep(60)') : ended;
      await Promise.all([
        statement,
        connections.use((other) => other.query('SELECT pg_terminate_backend($1)', [rows[0].pid])),
      ]);
    });
    await expect(cutOff).rejects.toThrow();
    await connections.use((client) => client.query('SELECT 1'));
    await connections.end();
    await database.drop();
  });
});

test('F-8: a connection that is not to be had is waited for once', async () => {
  const connect = jest.spyOn(Pool.prototype, 'connect');
  const connections = new Connections({ host: '127.0.0.1', port: 1, max: 2 });
  const work = () => Promise.reject(new Error('it was lent'));
  await expect(connections.inTransaction(work)).rejects.toThrow('ECONNREFUSED');
  await expect(connections.ask(work)).rejects.toThrow('ECONNREFUSED');
  expect(connect).toHaveBeenCalledTimes(2);
  connect.mockRestore();
  await connections.end();
});
