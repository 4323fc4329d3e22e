import supertest, { type Response } from 'supertest';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { Unit } from '../../src/storage/statement.ts';
import { type AppOptions, LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { expectJudged } from '../support/judged.ts';
import type { RecordedRequest } from '../support/stub/stub.ts';

export const TOTP = 'm.login.2fa.totp';
export const RECOVERY = 'm.login.2fa.recovery';
export const PASSWORD = 'correct horse';
export const MINUTE = 60_000;
export const STEP = 30_000;

/** The application with `bob`, who has 2FA on, and `alice`, who has not; both have the same password. */
export async function startSignIns(
  options: AppOptions = {},
  start: StartApp = startApp,
): Promise<{ app: TestApp; bob: Enrolled }> {
  const app = await start({
    users: [
      { name: 'alice', password: PASSWORD },
      { name: 'bob', password: PASSWORD },
    ],
    ...options,
  });
  return { app, bob: await app.enrol('bob') };
}

/** Sends a JSON body; the answer has passed both judges. */
export async function post(
  app: TestApp,
  path: string,
  body: JsonObject,
  headers: Record<string, string> = {},
): Promise<Response> {
  return expectJudged(await supertest(app.url).post(path).set(headers).send(body));
}

/** A sign-in with a password. */
export function signIn(
  app: TestApp,
  name: string,
  password = PASSWORD,
  more: JsonObject = {},
): Promise<Response> {
  return post(app, LOGIN, passwordLogin(name, password, more));
}

/** Goes on with the session of a challenge. */
export function submit(
  app: TestApp,
  challenge: Response,
  token: JsonObject[string],
  type = TOTP,
): Promise<Response> {
  return post(app, LOGIN, { auth: { type, session: challenge.body.session, token } });
}

/** Asks where the session of a challenge stands. */
export function ask(app: TestApp, challenge: Response): Promise<Response> {
  return post(app, LOGIN, { auth: { session: challenge.body.session } });
}

/** The logins that reached the homeserver. */
export function loginsOf(app: TestApp): RecordedRequest[] {
  return app.stub.requestsTo('login').filter(({ method }) => method === 'POST');
}

/** What reached the homeserver, as `METHOD path`. */
export function arrivals(app: TestApp): string[] {
  return app.stub.requests.map(({ method, target }) => `${method} ${target}`);
}

/** Lets the store fail with `error` in every unit that holds this SQL; the answer ends that. */
export function failCommits(app: TestApp, sql: string, error: Error): () => void {
  const { commit } = app.storage;
  const failing = (accounts: readonly string[], unit: Unit) =>
    JSON.stringify(unit).includes(sql) ? Promise.reject(error) : commit(accounts, unit);
  Object.assign(app.storage, { commit: failing });
  return () => {
    Object.assign(app.storage, { commit });
  };
}

/** Does `first` before the next unit that holds this SQL is written. */
export function beforeCommit(app: TestApp, sql: string, first: () => Promise<unknown>): void {
  const { commit } = app.storage;
  const waiting = async (accounts: readonly string[], unit: Unit) => {
    if (!JSON.stringify(unit).includes(sql)) return commit(accounts, unit);
    Object.assign(app.storage, { commit });
    await first();
    return commit(accounts, unit);
  };
  Object.assign(app.storage, { commit: waiting });
}

/** Does `first` before the next call of this method of a store. */
export function beforeCall<Store extends object>(
  store: Store,
  method: keyof Store,
  first: () => Promise<unknown>,
): void {
  const called = store[method];
  if (typeof called !== 'function') throw new TypeError(`${String(method)} is not a method`);
  const waiting = async (...given: unknown[]) => {
    Object.assign(store, { [method]: called });
    await first();
    return called.apply(store, given);
  };
  Object.assign(store, { [method]: waiting });
}

/** Lets the store fail with `error` where a granted login is to be held. */
export function failToHold(app: TestApp, error: Error): () => void {
  return failCommits(app, 'INSERT INTO holds', error);
}
