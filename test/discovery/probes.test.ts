import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Probes } from '../../src/discovery/probes.ts';
import type { ClientRequest } from '../../src/http/client_request.ts';
import { mountedPaths, ROUTES } from '../../src/http/routes.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { keepProbe } from '../../src/storage/tables/probes.ts';
import { listProcesses } from '../../src/storage/tables/processes.ts';
import { MINUTE } from '../../src/system/clock.ts';
import { randomId, systemRandom } from '../../src/system/random.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { startApp, type TestApp } from '../support/app.ts';

const VERSIONS = '/_matrix/client/versions';

let app: TestApp;
let nonce: string;

beforeAll(async () => {
  app = await startApp({ config: 'trusted_proxies: [127.0.0.1]\noauth: { enabled: true }' });
});
afterAll(() => app.stop());

beforeEach(async () => {
  nonce = randomId(systemRandom);
  await app.storage.commit([], keepProbe(hashToken(nonce)));
  app.stub.clear();
});

const probe = (target: string, headers: Record<string, string | string[]> = {}, method = 'GET') =>
  app.call({ method, target, headers: { 'X-M2FA-Probe': nonce, ...headers } });

test('a probe says which process answers, and whom it sees', async () => {
  const [process] = await app.storage.read(listProcesses());
  const answer = await probe(VERSIONS, {
    Host: 'matrix.example.org',
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
  });
  expect(answer).toMatchObject({
    status: 200,
    json: { process: process?.id, address: '203.0.113.9', proto: 'https', host: 'matrix.example.org' },
  });
  expect(Object.keys(answer.json)).toHaveLength(4);
  expect(app.stub.requests).toEqual([]);
});

test('every route of ours answers it, under every prefix, and does nothing else', async () => {
  for (const route of ROUTES) {
    for (const { path } of mountedPaths(route)) {
      const { status, json } = await probe(path.replaceAll(/\{\w+\}/g, 'ABC'), {}, route.method);
      expect([route.method, path, status, json.address]).toEqual([route.method, path, 200, '127.0.0.1']);
    }
  }
  expect(app.stub.requests).toEqual([]);
});

test.each([
  ['another nonce', () => randomId(systemRandom)],
  ['no nonce', () => 'x'],
  ['two nonces', () => [nonce, nonce]],
])('%s means nothing, and the path of probes is not there', async (_, header) => {
  const headers = { 'X-M2FA-Probe': header() };
  expect((await probe(VERSIONS, headers)).json).toHaveProperty('versions');
  expect(await probe('/_2fa/probe?wait=1', headers)).toMatchObject({
    status: 404,
    json: { errcode: 'M_UNRECOGNIZED' },
  });
});

test('a nonce counts for a minute', async () => {
  app.clock.advance(MINUTE - 1);
  expect((await probe(VERSIONS)).json).toHaveProperty('process');
  app.clock.advance(1);
  expect((await probe(VERSIONS)).json).not.toHaveProperty('process');
  expect((await probe('/_2fa/probe')).status).toBe(404);
});

test('a probe is answered late if it says so, by two minutes at most', async () => {
  const waits: number[] = [];
  const probes = new Probes({
    storage: app.storage,
    process: 'p',
    pause: async (ms) => void waits.push(ms),
  });
  const late = (wait: string) => probes.late(asking({ wait }));
  expect(await late('75')).toMatchObject({ status: 200, body: { process: 'p' } });
  expect(waits).toEqual([75_000]);
  expect((await probe('/_2fa/probe?wait=121')).status).toBe(400);
  for (const wait of ['121', '-1', '1.5', 'x', ''])
    await expect(late(wait)).rejects.toThrow('not acceptable');
});

test('while the store is away the header means nothing', async () => {
  const probes = new Probes({
    storage: { read: () => Promise.reject(new StoreUnavailable(new Error('away'))) },
    process: 'p',
    pause: async () => undefined,
  });
  const handler = probes.beforeHandler(async () => ({ status: 200, body: { passed: true } }));
  expect(await handler(asking({}))).toMatchObject({ body: { passed: true } });
  await expect(probes.late(asking({}))).rejects.toThrow('Unrecognized');
});

function asking(query: Record<string, string>): ClientRequest {
  return {
    method: 'GET',
    path: '/_2fa/probe',
    params: {},
    query: new Map(Object.entries(query)),
    search: '',
    assertedUser: undefined,
    token: { kind: 'none' },
    body: undefined,
    client: { ip: '127.0.0.1', proto: 'http', host: undefined },
    signal: new AbortController().signal,
    headers: { 'x-m2fa-probe': nonce },
  };
}
