import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { createProxy } from '../../src/server/proxy.ts';
import { systemRandom } from '../../src/system/random.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import '../support/full_argon2.ts';
import { codeNow, type Enrolled } from '../support/enrolment.ts';
import { call } from '../support/http.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { operate } from '../support/operate.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { loginsOf, MINUTE, PASSWORD, RECOVERY, startSignIns } from './support.ts';

let app: TestApp;
let bob: Enrolled;
let running: ServeProcess | undefined;

beforeEach(async () => {
  ({ app, bob } = await startSignIns());
  await app.shutDown();
});

afterEach(async () => {
  await kill();
  await app.stop();
});

function configFile(): string {
  return join(app.directory, 'config.yaml');
}

/** Runs `serve` as a process of its own, on the data of the test: the address that it listens on. */
async function serve(): Promise<string> {
  running = await ServeProcess.start(configFile());
  return running.url;
}

/** Ends the process with kill -9: it has no chance to do anything more. */
async function kill(): Promise<void> {
  const killed = running;
  running = undefined;
  await killed?.kill();
}

function send(url: string, json: JsonObject) {
  return call(url, { target: LOGIN, json });
}

test('attack 26: kill -9 during a hold: after a restart the sign-in is finished', async () => {
  const challenge = await send(await serve(), passwordLogin('bob', PASSWORD));
  expect(challenge.status).toBe(401);
  const [held] = app.stub.liveTokens('bob');
  await kill();

  const session = String(challenge.json.session);
  const token = codeNow(bob.seed);
  const answer = await send(await serve(), { auth: { type: 'm.login.2fa.totp', session, token } });
  expect(answer.status).toBe(200);
  expect(answer.json.access_token).toBe(held);
  expect(loginsOf(app)).toHaveLength(1);
  expect(app.stub.requestsTo('logout')).toEqual([]);
});

test('attack 26: kill -9 during a hold: past its time exactly one of two other processes logs it out', async () => {
  const challenge = await send(await serve(), passwordLogin('bob', PASSWORD));
  expect(challenge.status).toBe(401);
  await kill();

  const clock = new ManualClock(Date.now() + 6 * MINUTE);
  const config = loadConfig(configFile(), {});
  const replicas = [
    await createProxy(config, { clock, random: systemRandom }),
    await createProxy(config, { clock, random: systemRandom }),
  ];
  await Promise.all(replicas.map((replica) => replica.keepHouse()));
  expect(app.stub.requestsTo('logout')).toHaveLength(1);
  expect(app.stub.liveTokens('bob')).toEqual([]);
  await Promise.all(replicas.map((replica) => replica.close(0)));
});

test('attack 187: kill -9 after an emergency code was accepted: it is not good again', async () => {
  app.clock.set(Date.now());
  const grounds = ['--reason', 'lost', '--verified-by', 'seen'];
  const { out } = await operate(app, 'user', 'emergency-code', bob.userId, ...grounds);
  const token = out.split('\n')[0] ?? '';
  const use = async (url: string) => {
    const challenge = await send(url, passwordLogin('bob', PASSWORD));
    return send(url, { auth: { type: RECOVERY, session: String(challenge.json.session), token } });
  };
  expect((await use(await serve())).status).toBe(200);
  await kill();
  await app.start();
  expect((await use(app.url)).status).toBe(401);
});
