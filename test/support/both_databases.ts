import { afterEach, describe } from '@jest/globals';
import { type AppOptions, startApp, type TestApp } from './app.ts';
import { dropDatabase, newDatabase, postgresPrograms, postgresServer } from './postgres.ts';

export type StartApp = (options?: AppOptions) => Promise<TestApp>;

/** A suite on SQLite and on PostgreSQL. `start` stands in the place of `startApp`; what it starts ends with the test. */
export function describeOnBothDatabases(title: string, tests: (start: StartApp) => void): void {
  const dispose: (() => Promise<void>)[] = [];
  const start: StartApp = async (options) => {
    const app = await startApp(options);
    dispose.push(() => app.stop());
    return app;
  };
  const startOnPostgres: StartApp = async (options = {}) => {
    const server = await postgresServer(programs ?? '');
    const url = await newDatabase(server);
    dispose.push(() => dropDatabase(server, url));
    return start({ ...options, storage: `{ type: postgres, url: "${url}", tls: disable }` });
  };
  const programs = postgresPrograms();
  const suite = programs === undefined ? describe.skip : describe;

  afterEach(async () => {
    for (const each of dispose.splice(0).toReversed()) await each();
  });
  describe(`${title}, on SQLite`, () => tests(start));
  suite(`${title}, on PostgreSQL`, () => tests(startOnPostgres));
}
