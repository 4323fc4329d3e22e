import { afterAll, afterEach, describe } from '@jest/globals';
import { type AppOptions, startApp, type TestApp } from './app.ts';
import { makePostgresDatabase } from './newest_schema.ts';
import { describeBehindPgbouncer } from './pgbouncer.ts';
import { postgresPrograms } from './postgres.ts';
import { TestDatabase } from './test_database.ts';

export type StartApp = (options?: AppOptions) => Promise<TestApp>;

/** A suite on SQLite and on PostgreSQL. `start` stands in the place of `startApp`; what it starts ends with the test. */
export function describeOnBothDatabases(title: string, tests: (start: StartApp) => void): void {
  describeOnDatabases(title, tests, {});
}

/** The same for an application that all tests share: what `start` starts ends after the last one. */
export function describeOnSharedDatabases(title: string, tests: (start: StartApp) => void): void {
  describeOnDatabases(title, tests, { isShared: true });
}

/** The same, and on PostgreSQL behind PgBouncer; what `start` starts is for all tests, and ends after the last one. */
export function describeOnPooledDatabases(title: string, tests: (start: StartApp) => void): void {
  describeOnDatabases(title, tests, { isShared: true, isPooled: true });
}

function describeOnDatabases(
  title: string,
  tests: (start: StartApp) => void,
  { isShared = false, isPooled = false }: { readonly isShared?: boolean; readonly isPooled?: boolean },
): void {
  const dispose: (() => Promise<void>)[] = [];
  const start: StartApp = async (options) => {
    const app = await startApp(options);
    dispose.push(() => app.stop());
    return app;
  };
  /** @param through the way to the database, from its URL */
  const startOnPostgres =
    (through: (url: string) => string): StartApp =>
    async (options = {}) => {
      const database = await TestDatabase.make(programs, makePostgresDatabase);
      dispose.push(() => database.drop());
      return start({
        ...options,
        storage: `{ type: postgres, url: "${through(database.url)}", tls: disable }`,
      });
    };
  const programs = postgresPrograms();
  const suite = programs === undefined ? describe.skip : describe;

  const disposing = (suiteOn: StartApp) => {
    tests(suiteOn);
    // Jest calls hooks in the order in which they stand: those of the suite come first.
    (isShared ? afterAll : afterEach)(async () => {
      for (const each of dispose.splice(0).toReversed()) await each();
    });
  };
  describe(`${title}, on SQLite`, () => disposing(start));
  suite(`${title}, on PostgreSQL`, () => disposing(startOnPostgres((url) => url)));
  if (isPooled) describeBehindPgbouncer(title, (through) => disposing(startOnPostgres(through)));
}
