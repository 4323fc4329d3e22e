import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { call } from '../support/http.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import { BEGIN, credentials, PASSWORD, startRecovering } from './recovering.ts';

/** The owner in their clients and by mail, and the operator. */
const RECIPIENTS = 3;

let app: TestApp;
let mail: MailReceiver;
let running: ServeProcess | undefined;

beforeEach(async () => {
  mail = await startMailReceiver();
  ({ app } = await startRecovering(startApp, '{ enabled: true, operators: [ops@example.org] }', {
    config: `policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
  }));
});

afterEach(async () => {
  await running?.kill();
  running = undefined;
  await app.stop();
  await mail.stop();
}, 20_000);

interface Begun {
  readonly points: readonly string[];
  readonly isThere: boolean;
  readonly isAnswered: boolean;
}

async function countOf(table: string, userId: string): Promise<number> {
  const rows = await app.storage.read(
    ask<object>(`SELECT id FROM ${table} WHERE user_id = :userId`, { userId }),
  );
  return rows.length;
}

/** Someone new begins, the process dies at a point of that, and they begin again after a restart. */
async function killedAt(point: number): Promise<Begun> {
  const [name, address] = [`user${point}`, `user${point}@example.org`];
  const userId = `@${name}:localhost`;
  app.stub.addUser({ name, password: PASSWORD, emails: [address] });
  app.clock.set(Date.now());
  await app.enrol(name);
  await app.shutDown();
  mail.mails.splice(0);
  const serve = await ServeProcess.start(join(app.directory, 'config.yaml'), {
    preload: [preloaded('fault_points', { at: String(point) })],
  });
  running = serve;
  const answer = await call(serve.url, { target: BEGIN, json: credentials(name) }).catch(() => undefined);
  await serve.kill();
  running = undefined;
  app.clock.set(Date.now());
  await app.start();

  const requests = await countOf('recovery_requests', userId);
  expect(requests).toBeLessThanOrEqual(1);
  if (answer !== undefined) expect(requests).toBe(1);
  expect(await countOf('recovery_notices', userId)).toBe(RECIPIENTS * requests);
  const again = await app.post(BEGIN, credentials(name));
  expect(again.status).toBe(200);
  expect('claim_code' in again.json).toBe(requests === 0);
  expect(await countOf('recovery_requests', userId)).toBe(1);
  expect(await countOf('recovery_notices', userId)).toBe(RECIPIENTS);
  const entries = await app.storage.audit.list({ userId });
  expect(entries.filter(({ event }) => event === 'recovery_request.begun')).toHaveLength(1);
  await app.proxy.sendNotices();
  const told = mail.mails
    .filter(({ text }) => text.includes('/_2fa/recover/cancel?t='))
    .map(({ to }) => to[0]);
  expect(told.sort()).toEqual(['ops@example.org', address]);
  const points = serve.log.split('\n').flatMap((line) => /^point \d+: (.+)$/.exec(line)?.[1] ?? []);
  return { points, isThere: requests === 1, isAnswered: answer !== undefined };
}

test('attack 287: kill -9 at every point of a beginning: all of it is there, or nothing, and all are told once', async () => {
  const seen: Begun[] = [];
  for (let point = 1; ; point += 1) {
    const begun = await killedAt(point);
    seen.push(begun);
    if (begun.isAnswered) break;
  }
  // It was cut off before and behind the commit that begins it.
  expect(seen[0]).toEqual({ points: ['POST login'], isThere: false, isAnswered: false });
  expect(seen.some(({ isThere, isAnswered }) => isThere && !isAnswered)).toBe(true);
}, 120_000);
