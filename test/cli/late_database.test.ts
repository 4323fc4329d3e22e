import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../tools/free_port.ts';
import { call } from '../support/http.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import type { CommandLine, Outcome } from './command_line.ts';
import { OperatedDatabase } from './operated_database.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite('a PostgreSQL that is away at the start', () => {
  let database: TestDatabase;
  let operated: OperatedDatabase;
  let line: CommandLine;
  let port: number;
  let way: Server | undefined;

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    operated = new OperatedDatabase(database.storage);
    ({ line } = operated);
    port = await freePort();
    serveOn(database.name);
  });

  afterEach(async () => {
    way?.close();
    way = undefined;
    line.remove();
    await database.drop();
  });

  /** The database as it is reached by the way that `come` opens. */
  function serveOn(name: string, user = database.user): void {
    const at = `postgres://${user}@127.0.0.1:${port}/${name}`;
    operated.configure(
      `{ type: postgres, url: "${at}", pool: 2 }\nlisten: 127.0.0.1:0\nlog: { level: error }`,
    );
  }

  async function come(): Promise<void> {
    const socket = join(database.socketFolder, '.s.PGSQL.5432');
    way = createServer((client) => {
      const upstream = connect(socket);
      for (const end of [client, upstream]) end.on('error', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => way?.listen(port, '127.0.0.1', resolve));
  }

  const lastLine = ({ code, err }: Outcome) => ({ code, line: err.split('\n').at(-1) });

  const marked = async () => {
    const other = new OperatedDatabase();
    other.configure(`{ type: sqlite, path: 2fa.db }\nlisten: 127.0.0.1:0\nlog: { level: error }`);
    await other.enrol('@bob:example.org', operated.keys);
    line.changeConfig(/storage: .*/, `storage: ${other.storageText}`);
    const serve = line.start('serve');
    await serve.said;
    serve.stop();
    await serve.ended;
    other.line.remove();
    serveOn(database.name);
  };

  test.each<[string, () => unknown, number, RegExp]>([
    ['no such database', () => serveOn('no_such_database'), 1, /cannot be opened: database/],
    ['a login that is refused', () => serveOn(database.name, 'stranger'), 1, /role "stranger"/],
    [
      'a newer schema',
      async () => {
        await line.type('user', 'list');
        await operated.enrolled();
        await database.administer('UPDATE schema_info SET version = 999, readable_from = 999');
      },
      2,
      /schema version 999/,
    ],
    ['another database than the marked one', marked, 2, /is not there in which users|is not the database/],
  ])('%s: serve ends as at a start, when it is there', async (_what, prepare, code, complaint) => {
    await prepare();
    const serve = line.start('serve');
    const [at = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(await serve.said) ?? [];
    expect(await call(at, { target: '/_2fa/ready' })).toMatchObject({ status: 503 });
    await come();
    // The next use finds it; housekeeping would, too.
    await call(at, { target: '/_2fa/ready' }).catch(() => undefined);
    const ended = lastLine(await serve.ended);
    expect(ended).toEqual({ code, line: expect.stringMatching(complaint) });
    expect(lastLine(await line.type('serve'))).toEqual(ended);
  });
});
