import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CLAIM_MS } from '../../src/second_factor/oauth_claims.ts';
import { REPEAT_MS } from '../../src/second_factor/oauth_refresh.ts';
import { SECOND } from '../../src/system/clock.ts';
import { startApp } from '../support/app.ts';
import { call } from '../support/http.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import { type Asked, expectError, OAuthApp, tokensIn } from './oauth_app.ts';

let oauth: OAuthApp;
let running: ServeProcess | undefined;

beforeEach(async () => {
  oauth = await OAuthApp.start(startApp);
});

afterEach(async () => {
  await running?.kill();
  running = undefined;
  await oauth.app.stop();
});

/**
 * An app exchanges its code and refreshes once, and the process dies at a point of that. The app comes again with what
 * it has, as one does whose answer was lost.
 * @returns the points that were passed, the last one that at which the process died
 */
async function killedAt(point: number): Promise<readonly string[]> {
  const { app } = oauth;
  app.clock.set(Date.now());
  const issued = await oauth.issue({ deviceId: `DEVICE${point}` });
  await app.shutDown();
  const serve = await ServeProcess.start(join(app.directory, 'config.yaml'), {
    preload: [preloaded('fault_points', { at: String(point) })],
  });
  running = serve;
  const there: Asked = { call: (what) => call(serve.url, what) };
  let refresh: string | undefined;
  try {
    refresh = tokensIn(await oauth.exchange(issued, {}, there)).refresh;
    await oauth.refresh(refresh, undefined, there);
  } catch {
    // The connection went with the process.
  }
  await serve.kill();
  running = undefined;
  // A claim of the process that died is over, and the answer to a refresh can still be had once more.
  const laterMs = refresh === undefined ? CLAIM_MS + 5 * SECOND : REPEAT_MS / 2;
  app.clock.set(Date.now() + laterMs);
  await app.start();
  const points = serve.log.split('\n').flatMap((line) => /^point \d+: (.+)$/.exec(line)?.[1] ?? []);
  if (refresh === undefined) await comesAgain(issued, point);
  else tokensIn(await oauth.refresh(refresh));
  return points;
}

/** The code is good once more where nothing came of it, and for nothing where its session was kept. */
async function comesAgain(issued: Parameters<OAuthApp['exchange']>[0], point: number): Promise<void> {
  const own = () => oauth.sessions().then((all) => all.filter((each) => each.deviceId === `DEVICE${point}`));
  const before = await own();
  const again = await oauth.exchange(issued);
  if (before.length === 0) tokensIn(again);
  else expectError(again, 400, 'invalid_grant');
  expect((await own()).length).toBeLessThanOrEqual(1);
  expectError(await oauth.exchange(issued), 400, 'invalid_grant');
}

test('attack 329: kill -9 at every point of an exchange and a refresh makes no second session, and signs nobody out', async () => {
  const seen: (readonly string[])[] = [];
  for (let point = 1; ; point += 1) {
    const points = await killedAt(point);
    seen.push(points);
    if (points.length < point) break;
  }
  // The first login, its session, the question whether it lives, and the rotation.
  expect(seen.at(-1)?.filter((each) => each !== 'commit')).toEqual(['POST login', 'GET account/whoami']);
});
