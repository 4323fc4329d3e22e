import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { seedIn } from '../account/account.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { codeNow } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { OWING } from './owing.ts';
import { loginsOf, PASSWORD } from './support.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa/enrolment';

let app: TestApp;
let running: ServeProcess | undefined;

beforeEach(async () => {
  app = await startApp(OWING);
  await app.shutDown();
});

afterEach(async () => {
  await running?.kill();
  await app.stop();
});

async function restart(): Promise<void> {
  await running?.kill();
  running = await ServeProcess.start(join(app.directory, 'config.yaml'));
}

function send(target: string, json: JsonObject): Promise<HttpAnswer> {
  return call(running?.url ?? '', { method: 'POST', target, json });
}

/** The body of a confirmation with the code of now, of the set-up that was begun just before. */
async function confirmation(session: string): Promise<JsonObject> {
  const { json } = await send(API, { session, factor: 'totp' });
  const token = codeNow(seedIn(json.seed));
  return { session, setup_id: String(json.setup_id), token };
}

async function owedSession(): Promise<string> {
  return String((await send(LOGIN, passwordLogin('carol', PASSWORD))).json.session);
}

test('attack 210: kill -9 between the steps of a set-up: each goes on after a restart', async () => {
  await restart();
  const session = await owedSession();
  const body = await confirmation(session);
  await restart();
  expect((await send(`${API}/confirm`, body)).status).toBe(200);
  await restart();
  expect((await send(LOGIN, { auth: { session } })).status).toBe(200);
  expect(loginsOf(app)).toHaveLength(1);
});

test('attack 210: kill -9 during the confirmation: all of it is there, or nothing', async () => {
  await restart();
  const session = await owedSession();
  const confirming = send(`${API}/confirm`, await confirmation(session)).catch(() => undefined);
  await restart();
  await confirming;
  const login = await send(LOGIN, { auth: { session } });
  if (login.status === 401) {
    expect(login.json.completed).toEqual(['m.login.password']);
    expect((await send(`${API}/confirm`, await confirmation(session))).status).toBe(200);
    expect((await send(LOGIN, { auth: { session } })).status).toBe(200);
  } else {
    expect(login.status).toBe(200);
  }
  const next = await send(LOGIN, passwordLogin('carol', PASSWORD));
  const stages = ['m.login.2fa.totp', 'm.login.2fa.recovery'];
  expect(next.json.flows).toEqual(stages.map((stage) => ({ stages: ['m.login.password', stage] })));
});
