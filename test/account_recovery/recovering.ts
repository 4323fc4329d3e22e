import type { ClientRequest } from '../../src/http/client_request.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { ask } from '../../src/storage/statement.ts';
import {
  findRunningRecovery,
  type NewRecoveryRequest,
  type SeenRecovery,
} from '../../src/storage/tables/recovery_requests.ts';
import type { TestApp } from '../support/app.ts';
import type { StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { StatementRecorder } from '../support/statements.ts';

export const BOB = '@bob:localhost';
export const PASSWORD = 'correct horse';
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const BEGIN = '/_matrix/client/unstable/org.matrix.2fa/recovery_request';
export const STATUS = `${BEGIN}/status`;
export const GROUNDS = ['--reason', 'phone and codes in the sea', '--verified-by', 'Ada, video call'];

/** A request of bob, as the store may have it from before. */
export const FROM_BEFORE: NewRecoveryRequest = {
  ...{ id: 'r1', userId: BOB, begunFrom: '192.0.2.1', timeZone: null, absences: '[]' },
  ...{ waitMs: 1000, longestMs: 1000 },
  claim: { salt: Buffer.alloc(16), pepperKeyId: 'k', hash: '00', tag: 0 },
};

export interface Recovering {
  readonly app: TestApp;
  readonly bob: Enrolled;
}

/** An application with account recovery on, and `bob`, who has 2FA on; all have the same password. */
export async function startRecovering(
  start: StartApp,
  section = '{ enabled: true }',
  more: Omit<Parameters<StartApp>[0] & object, 'config'> & { readonly config?: string } = {},
): Promise<Recovering> {
  const { config = 'policy: { administrators: { detect: false } }', ...options } = more;
  const users = ['alice', 'bob', 'carol'].map((name) => ({ name, password: PASSWORD }));
  const app = await start({ users, ...options, config: `account_recovery: ${section}\n${config}` });
  const bob = await app.enrol('bob');
  // From its first round on a process measures what goes by.
  await app.proxy.keepHouse();
  return { app, bob };
}

export function credentials(name = 'bob', password = PASSWORD): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: name }, password };
}

export function begin(app: TestApp, more: JsonObject = {}): Promise<HttpAnswer> {
  return app.post(BEGIN, { ...credentials(), ...more });
}

export async function status(app: TestApp): Promise<JsonObject> {
  return (await app.post(STATUS, credentials())).json;
}

/** So much time goes by, and all that is due is done. */
export async function wait(app: TestApp, ms: number): Promise<void> {
  app.live(ms);
  await app.proxy.keepHouse();
}

/** The request of bob that runs. */
export async function running(app: TestApp): Promise<SeenRecovery> {
  const [request] = await app.storage.read(findRunningRecovery(BOB));
  if (request === undefined) throw new Error('none runs');
  return request;
}

/** Which events of recovery are on record of bob, the oldest first. */
export async function recorded(app: TestApp): Promise<string[]> {
  const entries = await app.storage.audit.list({ userId: BOB });
  return entries
    .map(({ event }) => event)
    .filter((event) => event.startsWith('recovery_request.'))
    .map((event) => event.slice('recovery_request.'.length))
    .toReversed();
}

/** All that the database holds of requests, as one text. */
export async function stored(app: TestApp): Promise<string> {
  const rows = await app.storage.read(ask<object>('SELECT * FROM recovery_requests'));
  return JSON.stringify(rows, (_name, value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value));
}

/** What the requests that `work` sends ask of the store, in their order, and of the homeserver. */
export async function costOf(app: TestApp, work: () => Promise<unknown>) {
  const recorder = StatementRecorder.start();
  const before = app.stub.requests.length;
  try {
    const { statements, commits, roundTrips } = await recorder.during(work);
    const calls = app.stub.requests.slice(before).map(({ method, target }) => `${method} ${target}`);
    return { statements, commits, roundTrips, calls };
  } finally {
    recorder.stop();
  }
}

export function requestFrom(ip = '192.0.2.1'): ClientRequest {
  return {
    method: 'POST',
    path: '/_2fa/recover',
    params: {},
    query: new Map(),
    search: '',
    assertedUser: undefined,
    token: { kind: 'none' },
    body: undefined,
    client: { ip, proto: 'https', host: undefined },
    signal: new AbortController().signal,
    headers: {},
  };
}
