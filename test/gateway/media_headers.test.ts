import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestDoor, type TestDoor } from './support/door.ts';

const SCRIPT = '<script>opener.document.querySelector("#password").value</script>';
const PLACES = [
  '/_matrix/media/v3/download/hs/id',
  '/_matrix/media/r0/thumbnail/hs/id?width=9&height=9',
  '/_matrix/client/v1/media/download/hs/id/page.html',
  '/_matrix/client/unstable/org.matrix.msc3916/media/download/hs/id',
  '/_matrix/m%65dia/v3/download/hs/id',
];

/** A homeserver that serves everything with the headers set here. */
let upstream: Server;
let served: Record<string, string | string[]> = {};
let door: TestDoor;

beforeAll(async () => {
  upstream = createServer((_, response) => response.writeHead(200, served).end(SCRIPT));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  door = await openTestDoor({ upstreamUrl: new URL(`http://127.0.0.1:${port}`) });
});

afterAll(async () => {
  await door.close();
  upstream.close();
});

async function policyOf(target: string, headers: typeof served): Promise<(string | null)[]> {
  served = headers;
  const answer = await fetch(`http://127.0.0.1:${door.port}${target}`);
  expect([answer.status, await answer.text()]).toEqual([200, SCRIPT]);
  return ['content-security-policy', 'x-content-type-options'].map((name) => answer.headers.get(name));
}

describe('attack 155: media that a browser could run as one of our pages', () => {
  const RUN = [
    ...['text/html', 'TEXT/HTML; charset=utf-8', 'application/xhtml+xml', 'image/svg+xml', 'text/xml'],
    ...['application/xml', 'application/rss+xml', 'unknown/unknown', '*/*', 'image/png, text/html', ''],
  ];
  test.each(RUN)('of the type "%s" is sandboxed, wherever it is served', async (type) => {
    for (const place of PLACES) {
      const policy = await policyOf(place, type === '' ? {} : { 'Content-Type': type });
      expect(policy).toEqual(['sandbox', 'nosniff']);
    }
  });

  test('of two types is sandboxed', async () => {
    for (const place of PLACES) {
      const policy = await policyOf(place, { 'Content-Type': ['image/png', 'text/html'] });
      expect(policy).toEqual(['sandbox', 'nosniff']);
    }
  });

  test('keeps the policy that the homeserver gave it', async () => {
    const own = "sandbox; default-src 'none'";
    const headers = { 'Content-Type': 'text/html', 'content-security-policy': own };
    for (const place of PLACES) expect(await policyOf(place, headers)).toEqual([own, null]);
  });
});

test.each([
  'image/png',
  'video/mp4',
  'audio/ogg',
  'application/json',
  'text/plain; charset=utf-8',
  'application/pdf',
])('media of the type %s pass as they are', async (type) => {
  for (const place of PLACES) expect(await policyOf(place, { 'Content-Type': type })).toEqual([null, null]);
});

test.each([
  '/_matrix/static/client/login/',
  '/_synapse/client/pick_username',
  '/_matrix/client/v3/sync?filter=media',
])('pages of the homeserver itself pass as they are: %s', async (target) => {
  expect(await policyOf(target, { 'Content-Type': 'text/html' })).toEqual([null, null]);
});
