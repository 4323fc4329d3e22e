import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { createProxy, type MatrixProxy } from '../../src/server/proxy.ts';
import { systemClock } from '../../src/system/clock.ts';
import { type Log, type LogFields, silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile } from '../../src/vault/key_ring.ts';
import { MANNERS, OddHomeserver } from './odd_homeserver.ts';
import { ACTIONS, POINTS, TARGETS, type Visit, visit } from './visits.ts';

/** All of them far below what a client here waits for. */
const TIMES = { headMs: 300, bodyMs: 300, uploadSilenceMs: 300, answerMs: 300 };
const PATIENCE_MS = 60_000;
/** Of a client that may wait for a homeserver as long as it likes. */
const LONG_POLL_MS = 1_000;
const AT_ONCE = 120;

let homeserver: OddHomeserver;
let proxy: MatrixProxy;
let port: number;
let directory: string;
const failures: string[] = [];
const log: Log = {
  ...silentLog,
  error: (fields: LogFields, text) => {
    if (!isAboutTheHomeserver(fields)) failures.push(`${text} ${fields.err}`);
  },
};

/** That it is down or odd is what these tests are about: those lines are right. */
function isAboutTheHomeserver({ event, reason }: LogFields): boolean {
  return event === 'homeserver_down' || (event === 'request' && String(reason).startsWith('homeserver_'));
}

beforeAll(async () => {
  homeserver = await OddHomeserver.start();
  directory = mkdtempSync(join(tmpdir(), 'every-point-'));
  createKeyFile(join(directory, 'keys.json'), systemRandom, systemClock);
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    [
      'listen: 127.0.0.1:0',
      'public_base_url: https://matrix.example.org',
      `homeserver: { url: http://127.0.0.1:${homeserver.port} }`,
      'storage: { type: sqlite, path: 2fa.db }',
      'keys: { file: keys.json }',
    ].join('\n'),
  );
  proxy = await createProxy(loadConfig(file, {}), { log, times: TIMES });
  port = Number(new URL(await proxy.listen()).port);
});

afterAll(async () => {
  await proxy.close(0);
  rmSync(directory, { recursive: true, force: true });
});

/** Every target at every point with every action, many at once; the visits that waited in vain. */
async function everyVisit(isStill = false): Promise<string[]> {
  const visits = TARGETS.flatMap((target) =>
    POINTS.flatMap((point) => ACTIONS.map((action) => ({ target, point, action }))),
  );
  const inVain: string[] = [];
  const next = visits.values();
  const visitor = async (): Promise<void> => {
    for (const each of next) {
      const mayWait = isStill && isPassedOn(each);
      const received = await visit(port, each, mayWait ? LONG_POLL_MS : PATIENCE_MS);
      if (received === undefined && !mayWait) inVain.push(JSON.stringify(each));
      if (received && !received.startsWith('HTTP/1.1 ')) inVain.push(`${JSON.stringify(each)}: ${received}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  return inVain;
}

/** A homeserver that keeps still is waited for, there: a long poll looks the same. */
function isPassedOn({ target }: Visit): boolean {
  return target.includes('/sync') || target.includes('/upload');
}

async function requireSound(): Promise<void> {
  const health = await fetch(`http://127.0.0.1:${port}/_2fa/health`);
  expect(health.status).toBe(200);
  expect(failures).toEqual([]);
}

test.each(Object.keys(MANNERS))('attack 117: before a homeserver that is %s', async (manner) => {
  homeserver.behave(MANNERS[manner] ?? (() => undefined));
  expect(await everyVisit(manner === 'silent' || manner === 'deaf')).toEqual([]);
  await requireSound();
});

test('attack 117: before a homeserver that is down', async () => {
  await homeserver.goDown();
  expect(await everyVisit()).toEqual([]);
  await requireSound();
});
