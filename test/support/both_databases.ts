import { afterEach, describe } from '@jest/globals';
import { type AppOptions, startApp, type TestApp } from './app.ts';
import { dropDatabase, newDatabase, postgresPrograms, postgresServer } from './postgres.ts';

export type StartApp = (options?: AppOptions) => Promise<TestApp>;

/**
 * A suite on SQLite and on PostgreSQL; `start` stands in the place of `startApp`. What it starts on PostgreSQL is
 * stopped after the test, as its database goes then.
 */
export function describeOnBothDatabases(title: string, tests: (start: StartApp) => void): void {
  describe(`${title}, on SQLite`, () => tests(startApp));
  const programs = postgresPrograms();
  const suite = programs === undefined ? describe.skip : describe;
  suite(`${title}, on PostgreSQL`, () => {
    let dispose: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const each of dispose.splice(0).toReversed()) await each();
      dispose = [];
    });
    tests(async (options = {}) => {
      const server = await postgresServer(programs ?? '');
      const url = await newDatabase(server);
      dispose.push(() => dropDatabase(server, url));
      const app = await startApp({ ...options, storage: `{ type: postgres, url: "${url}", tls: disable }` });
      dispose.push(() => app.stop());
      return app;
    });
  });
}
