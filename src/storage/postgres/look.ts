import { Client } from 'pg';
import type { Clock } from '../../system/clock.ts';
import type { Schema } from '../sqlite/migrations/migrate.ts';
import { type PostgresAddress, poolConfig } from './address.ts';
import { schemaOf } from './migrate.ts';

/** What can be seen of a database by questions. */
export interface PostgresLook {
  readonly schema: Schema;
  /** Settings by which a commit may be lost that was answered. SQLite has none. */
  readonly unsafe: readonly string[];
  /** How far its clock is ahead of this machine's, and how far off that may be, in ms; undefined if it has none. */
  readonly clock: { readonly aheadMs: number; readonly uncertainMs: number } | undefined;
}

const LONGEST_MS = 10_000;

/** With one of these off, what was answered may be gone after a crash: a spent code would count once more. */
const DURABILITY = ['fsync', 'synchronous_commit'] as const;

/** Looks at a PostgreSQL database by questions only. */
export async function lookAtPostgres(address: PostgresAddress, clock: Clock): Promise<PostgresLook> {
  const client = new Client({
    ...poolConfig(address),
    connectionTimeoutMillis: LONGEST_MS,
    query_timeout: LONGEST_MS,
    application_name: 'matrix-2fa-proxy',
  });
  // A connection that breaks later is told by the next statement.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return {
      schema: await schemaOf(client),
      unsafe: await unsafeSettings(client),
      clock: await compareClocks(client, clock),
    };
  } finally {
    await client.end();
  }
}

async function unsafeSettings(client: Client): Promise<string[]> {
  const unsafe: string[] = [];
  for (const name of DURABILITY) {
    const { rows } = await client.query('SELECT current_setting($1) AS value', [name]);
    if (rows[0]?.value === 'off') unsafe.push(name);
  }
  return unsafe;
}

async function compareClocks(client: Client, clock: Clock): Promise<PostgresLook['clock']> {
  const before = clock.now();
  const { rows } = await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
  const uncertainMs = (clock.now() - before) / 2;
  return { aheadMs: Math.round(Number(rows[0]?.now) - before - uncertainMs), uncertainMs };
}
