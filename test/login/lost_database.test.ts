import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type Log, silentLog } from '../../src/system/log.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { OwnPostgres } from '../support/own_postgres.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { MINUTE, PASSWORD, STEP, signIn, startSignIns, submit } from './support.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;
const AT_ONCE = 20;
const END_THOSE_OF_THE_APPLICATION =
  "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'matrix-2fa-proxy'";
/** docs/operate.md, "More than one process". */
const BACK_WITHIN_MS = 5000;

suite('a PostgreSQL that fails while it is in use', () => {
  let own: OwnPostgres;
  let app: TestApp;

  beforeAll(async () => {
    own = await OwnPostgres.start(programs ?? '', ['max_connections=12']);
  });

  afterAll(() => own.remove());

  afterEach(() => app.stop());

  const storageOf = ({ url }: OwnPostgres) => `{ type: postgres, url: "${url}", tls: disable }`;
  const passes = (token: string) => app.call({ target: '/_matrix/client/v3/rooms/!r:hs/messages', token });
  const ready = async () => (await app.call({ target: '/_2fa/ready' })).status;
  const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status;

  /** Resolves when the store is there again. */
  async function back(): Promise<void> {
    const deadline = Date.now() + BACK_WITHIN_MS;
    while ((await ready()) !== 200) {
      if (Date.now() > deadline) throw new Error('it is not back in time');
      await pause(20);
    }
  }

  /** Those of the application are ended, so that it needs new ones. */
  async function takeAllConnections(): Promise<Client[]> {
    const taken: Client[] = [];
    for (const ends of [true, false]) {
      for (;;) {
        const client = new Client({ connectionString: own.url });
        client.on('error', () => undefined);
        const isIn = await client.connect().then(
          () => true,
          () => false,
        );
        if (!isIn) break;
        taken.push(client);
      }
      if (ends) await taken[0]?.query(END_THOSE_OF_THE_APPLICATION);
    }
    return taken;
  }

  test('F-3: after a crash gated routes answer 503, all else flows, and nothing is lost', async () => {
    const started = await startSignIns({ storage: storageOf(own) });
    app = started.app;
    const { bob } = started;
    const spent = app.code(bob);
    const first = await submit(app, await signIn(app, 'bob'), spent);
    const held = await signIn(app, 'bob');
    expect([first.status, held.status]).toEqual([200, 401]);

    const storm = Array.from({ length: AT_ONCE }, () => statusOf(signIn(app, 'bob')));
    const [statuses] = await Promise.all([Promise.all(storm), own.crash()]);
    expect(statuses.filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
    expect([await statusOf(signIn(app, 'alice')), await ready()]).toEqual([503, 503]);
    expect(await passes(first.body.access_token)).toMatchObject({ status: 200 });

    await own.run();
    await back();
    expect(await submit(app, held, spent)).toMatchObject({ status: 401 });
    app.clock.advance(STEP);
    const second = await submit(app, held, app.code(bob));
    expect(second).toMatchObject({ status: 200 });
    app.clock.advance(10 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob').toSorted()).toEqual(
      [first.body.access_token, second.body.access_token].toSorted(),
    );
  });

  test('F-4: a standby is refused with a line that says so, until it is the primary', async () => {
    const standby = await own.standby();
    try {
      const lines: string[] = [];
      const log: Log = { ...silentLog, warn: (_fields, text) => void lines.push(text) };
      const users = [{ name: 'alice', password: PASSWORD }];
      app = await startApp({ users, log, storage: storageOf(standby) });
      expect(lines[0]).toMatch(/^postgres:.*: is waited for: the database is a standby$/);
      expect([await statusOf(signIn(app, 'alice')), await ready()]).toEqual([503, 503]);
      await standby.promote();
      await back();
      expect(await signIn(app, 'alice')).toMatchObject({ status: 200 });
    } finally {
      await standby.remove();
    }
  });

  test('F-8: where the server takes no more connections, requests are refused at once, and go on later', async () => {
    ({ app } = await startSignIns({ storage: storageOf(own) }));
    const others = await takeAllConnections();
    expect([await statusOf(signIn(app, 'alice')), await ready()]).toEqual([503, 503]);
    await Promise.all(others.map((each) => each.end()));
    await back();
    expect(await signIn(app, 'bob')).toMatchObject({ status: 401 });
  });
});
