/**
 * PgBouncer before the PostgreSQL of the tests, in transaction mode: every transaction may run on another connection
 * than the one before, and few are shared by all.
 *
 *     describeBehindPgbouncer('a suite', (through) => {
 *       test('a test', async () => openPostgresStorage({ url: through(await newDatabase(server)), … }));
 *     });
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { type PostgresServer, postgresPrograms, postgresServer, unprivilegedUser } from './postgres.ts';

interface Pgbouncer {
  /** The URL of a database of the server, by way of PgBouncer. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** A suite behind a PgBouncer of its own. `through` answers the URL of a database by way of it. */
export function describeBehindPgbouncer(
  title: string,
  tests: (through: (url: string) => string) => void,
): void {
  const [programs, program] = [postgresPrograms(), pgbouncerProgram()];
  const isThere = programs !== undefined && program !== undefined;
  (isThere ? describe : describe.skip)(`${title}, on PostgreSQL behind PgBouncer`, () => {
    let bouncer: Pgbouncer | undefined;
    beforeAll(async () => {
      bouncer = await startPgbouncer(program ?? '', await postgresServer(programs ?? ''));
    });
    tests((url) => bouncer?.through(url) ?? url);
    afterAll(() => bouncer?.stop());
  });
}

/** The program, also where `/usr/sbin` is not in the path. Undefined: not there (with CI=true that is an error). */
function pgbouncerProgram(): string | undefined {
  const found = ['pgbouncer', '/usr/sbin/pgbouncer'].find(
    (program) => spawnSync(program, ['--version']).status === 0,
  );
  if (found !== undefined) return found;
  if (process.env.CI === 'true') throw new Error('PgBouncer is missing: apt-get install pgbouncer');
  console.warn('skipped, as PgBouncer is missing: apt-get install pgbouncer');
  return undefined;
}

/** Resolves once it takes connections. */
async function startPgbouncer(program: string, server: PostgresServer): Promise<Pgbouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, configuration(port, server));
  const child = spawn(program, ['-q', file], { ...unprivilegedUser(), stdio: 'ignore' });
  await untilItListens(child, port);
  return {
    through: (url) => `postgres://${server.user}@127.0.0.1:${port}${new URL(url).pathname}`,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As docs/operate.md says, but for the login: here all are let in. */
function configuration(port: number, { socketFolder, user }: PostgresServer): string {
  return `
[databases]
* = host=${socketFolder} user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
query_wait_timeout = 5
server_login_retry = 1
`;
}
