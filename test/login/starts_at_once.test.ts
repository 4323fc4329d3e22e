import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LiveProcesses } from '../../src/storage/tables/processes.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile } from '../../src/vault/key_ring.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { call } from '../support/http.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { TestDatabase } from '../support/test_database.ts';

describe('two first starts at once', () => {
  let folder: string;
  let stub: StubHomeserver;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'first-starts-'));
    createKeyFile(join(folder, 'keys.json'), systemRandom, systemClock);
    stub = await startStub({ clock: systemClock });
  });
  afterAll(async () => {
    await stub.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startBoth(storage: string): Promise<number[]> {
    const config = join(folder, 'config.yaml');
    const lines = [
      'listen: 127.0.0.1:0',
      'public_base_url: https://matrix.example.org',
      `homeserver: { url: ${stub.url} }`,
      `storage: ${storage}`,
      'keys: { file: keys.json }',
    ];
    writeFileSync(config, lines.join('\n'));
    const both = await Promise.all([ServeProcess.start(config), ServeProcess.start(config)]);
    const ready = await Promise.all(both.map(({ url }) => call(url, { target: '/_2fa/ready' })));
    await Promise.all(both.map((each) => each.stop()));
    return ready.map(({ status }) => status);
  }

  test('on SQLite make one database, and both serve', async () => {
    expect(await startBoth('{ type: sqlite, path: 2fa.db }')).toEqual([200, 200]);
  });

  const onPostgres = postgresPrograms() === undefined ? test.skip : test;
  onPostgres('on PostgreSQL make one schema, and both serve', async () => {
    const database = await TestDatabase.make(postgresPrograms());
    expect(await startBoth(database.settings())).toEqual([200, 200]);
    await database.drop();
  });
});

describeOnBothDatabases('a process on another machine', (start) => {
  const described = { version: '1.0.0', keyIds: '', sealingKey: '', settingsDigest: '' };
  const announce = (app: TestApp, host: string) =>
    new LiveProcesses(app.storage, 'other', () => ({ ...described, host })).announce();

  test('ends a start on SQLite, until it is gone, and none on PostgreSQL', async () => {
    const app = await start();
    await announce(app, 'far');
    const another = app.startAnother();
    if (app.isOnPostgres) {
      await another;
      return;
    }
    await expect(another).rejects.toThrow(
      /2fa\.db: a process on far serves on it, or was killed less than 30 s ago; SQLite is for the processes of one machine$/,
    );
    app.clock.advance(30_000);
    await app.startAnother();
  });

  test('of this machine is welcome', async () => {
    const app = await start();
    await announce(app, hostname());
    await app.startAnother();
  });
});
