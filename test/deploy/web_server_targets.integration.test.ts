import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LISTS, type WebServer } from '../../src/cli/web_server_lists.ts';
import { LOGIN } from '../support/app.ts';
import { call, type HttpAnswer, rawExchange } from '../support/http.ts';
import { FIRST_PART, type Recorder, startRecorder } from './recorder.ts';
import { DISGUISED, HOST, ROWS } from './targets.ts';
import {
  hasWebServer,
  type RunningWebServer,
  SERVERS,
  SHIPPED,
  startWebServer,
  type TestedServer,
  TOPOLOGIES,
} from './web_server.ts';

const FILES = TOPOLOGIES.flatMap((topology) =>
  (Object.keys(LISTS) as WebServer[]).map((server) => {
    const file = server === 'traefik' ? `deploy/traefik/${topology}.yaml` : SHIPPED[server](topology);
    return [file, server, topology] as const;
  }),
);

test.each(FILES)('%s holds what routes --%s prints', (file, server, topology) => {
  const text = readFileSync(file, 'utf8');
  const missing = LISTS[server](topology).filter((line) => !text.split('\n').includes(line));
  expect(missing).toEqual([]);
});

/** What the homeserver may serve by itself in the selective topology. */
const STRAIGHT = [
  '/_matrix/federation/v1/version',
  '/_matrix/key/v2/server',
  '/_matrix/media/v3/download/example.org/abc',
  '/_matrix/client/v1/media/download/example.org/abc',
  '/_matrix/client/v3/sync',
  '/_matrix/client/r0/sync?since=a%2Fb&filter=//..',
  '/_matrix/client/v3/rooms/%21abc%3Aexample.org/messages?dir=b',
  '/_matrix/client/v3/rooms/!abc:example.org/members',
  '/_matrix/client/v3/rooms/!abc/joined_members',
  '/_matrix/client/v3/rooms/!abc/state',
];

/** What goes to the proxy in both topologies, though it looks like what may go straight. */
const TO_PROXY = [
  '/_matrix/client/versions',
  '/_matrix/client/v3/account/whoami',
  '/_matrix/client/v3/syncs',
  '/_matrix/client/v4/sync',
  '/_matrix/client/v3/rooms/a/b/messages',
  '/_matrix/client/v3/rooms/a?/messages',
  '/_matrix/client/v3/rooms/!abc/state/m.room.name',
  '/_matrix/client/v3/rooms/%2e%2e/messages',
  '/_matrix/client/v3/rooms/a%2fb/messages',
  '/_matrix/client/v3/rooms/a;b/messages',
  '/_matrix/client/v3/rooms/a%5Cb/messages',
  '/_synapse/client/pick_idp',
  '/_2fa/account',
  '/_2fa/oauth2/token',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
];

const ELSEWHERE = [
  '/',
  '/_synapse/admin/v1/server_version',
  '/_synapse/mas/x',
  '/_dendrite/admin/x',
  '/_continuwuity/account/login',
  '/_tuwunel/oidc/token',
  '/.well-known/matrix/server',
  '/_matrixx/client/v3/sync',
];

/** Caddy escapes a brace, which is not an octet of a target, and nothing else. */
function passedOn(server: TestedServer, target: string): string {
  return server === 'caddy' ? target.replace('{', '%7B') : target;
}

/** How long a client may take for the head of a request. nginx has a minute for it without a line. */
const HEAD_TIMES = [
  ['haproxy', 'timeout http-request 30s', 'timeout http-request 1s'],
  ['caddy', 'read_header 30s', 'read_header 1s'],
] as const;

describe.each(HEAD_TIMES)('%s', (server, shipped, shorter) => {
  const suite = hasWebServer(server) ? test : test.skip;

  suite.each(TOPOLOGIES)(
    'lets go of a client that does not finish the head of a request: %s',
    async (topology) => {
      const file = readFileSync(SHIPPED[server](topology), 'utf8');
      expect(file).toContain(shipped);
      const web = await startWebServer(server, topology, { proxy: 1, homeserver: 1 }, () =>
        file.replace(shipped, shorter),
      );
      const { hostname, port } = new URL(web.clients);
      const socket = connectTls({
        ...{ host: hostname, port: Number(port) },
        ...{ servername: 'matrix.example.org', rejectUnauthorized: false },
      });
      socket.on('error', () => undefined).resume();
      socket.write('GET /_matrix/client/versions HTTP/1.1\r\nHost: matrix.example.org\r\nX-Slow:');
      await once(socket, 'close');
      await web.stop();
    },
  );
});

describe.each(SERVERS)('%s', (server) => {
  const suite = hasWebServer(server) ? describe : describe.skip;

  suite.each(TOPOLOGIES)('with the shipped configuration: %s', (topology) => {
    let proxy: Recorder;
    let homeserver: Recorder;
    let web: RunningWebServer;

    beforeAll(async () => {
      proxy = await startRecorder('proxy');
      homeserver = await startRecorder('homeserver');
      web = await startWebServer(server, topology, { proxy: proxy.port, homeserver: homeserver.port });
    });
    afterAll(async () => {
      await web.stop();
      await Promise.all([proxy.stop(), homeserver.stop()]);
    });
    beforeEach(() => {
      proxy.clear();
      homeserver.clear();
    });

    function ask(target: string, method = 'GET'): Promise<HttpAnswer> {
      return call(web.clients, { method, target, headers: HOST });
    }

    test('sends every path of the route table to the proxy, as it came', async () => {
      for (const { method, target } of ROWS) {
        proxy.clear();
        expect(await ask(target, method)).toMatchObject({ status: 200, json: { served_by: 'proxy' } });
        expect(proxy.requests.map((seen) => seen.target)).toEqual([target]);
      }
      expect(homeserver.requests).toEqual([]);
    });

    test.each(STRAIGHT)('sends %s where this topology says', async (target) => {
      const expected = topology === 'full' ? 'proxy' : 'homeserver';
      expect(await ask(target)).toMatchObject({ status: 200, json: { served_by: expected } });
      expect([...proxy.requests, ...homeserver.requests].map((seen) => seen.target)).toEqual([target]);
    });

    test.each(TO_PROXY)('sends %s to the proxy, as it came', async (target) => {
      expect(await ask(target)).toMatchObject({ status: 200, json: { served_by: 'proxy' } });
      expect(proxy.requests.map((seen) => seen.target)).toEqual([target]);
    });

    test.each(DISGUISED)('never sends %s to the homeserver', async (target) => {
      const { status } = await ask(target, 'POST');
      expect(homeserver.requests).toEqual([]);
      if (status === 200)
        expect(proxy.requests.map((seen) => seen.target)).toEqual([passedOn(server, target)]);
      else expect([400, 404]).toContain(status);
    });

    test.each(ELSEWHERE)('answers %s with 404', async (target) => {
      expect(await ask(target)).toMatchObject({ status: 404 });
      expect([...proxy.requests, ...homeserver.requests]).toEqual([]);
    });

    test('names the client, whatever the client says about itself', async () => {
      await call(web.clients, {
        target: '/_matrix/client/versions',
        headers: { ...HOST, 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'http' },
      });
      expect(proxy.requests[0]?.headers).toMatchObject({
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'https',
        host: 'matrix.example.org',
      });
    });

    test('serves federation and nothing else on 8448', async () => {
      const federation = '/_matrix/federation/v1/event/%24a%2Fb';
      for (const target of [federation, '/_matrix/key/v2/server']) {
        const answer = await call(web.federation, { target, headers: HOST });
        expect(answer).toMatchObject({ status: 200, json: { served_by: 'homeserver' } });
      }
      homeserver.clear();
      for (const target of [LOGIN, '/_matrix/client/versions', ...DISGUISED]) {
        const { status } = await call(web.federation, { method: 'POST', target, headers: HOST });
        expect([400, 404]).toContain(status);
      }
      expect([...proxy.requests, ...homeserver.requests]).toEqual([]);
    });

    test('leads plain HTTP to HTTPS, and says to come that way only', async () => {
      const answer = await call(web.plain, { target: '/_matrix/client/versions', headers: HOST });
      expect([301, 308]).toContain(answer.status);
      expect(answer.headers.location).toMatch(
        /^https:\/\/matrix\.example\.org.*\/_matrix\/client\/versions$/,
      );
      expect((await ask('/_matrix/client/versions')).headers['strict-transport-security']).toContain(
        'max-age=',
      );
    });

    test('takes uploads of any size, and does not keep them back', async () => {
      const upload = requestTls(`${web.clients}/_matrix/media/v3/upload`, {
        method: 'POST',
        headers: { ...HOST, 'transfer-encoding': 'chunked' },
        rejectUnauthorized: false,
        servername: 'matrix.example.org',
      });
      const answered = once(upload, 'response');
      const receiver = topology === 'full' ? proxy : homeserver;
      const begun = receiver.untilBody();
      const part = Buffer.alloc(1024 * 1024);
      upload.write(part);
      await begun;
      for (let sent = 1; sent < 100; sent++) {
        if (!upload.write(part)) await once(upload, 'drain');
      }
      upload.end();
      const [response] = await answered;
      expect(JSON.parse(String(await once(response, 'data')))).toMatchObject({ bytes: 100 * part.length });
    });

    test('does not keep answers back', async () => {
      const slow = requestTls(`${web.clients}/_matrix/client/v3/account/slow`, {
        headers: HOST,
        rejectUnauthorized: false,
        servername: 'matrix.example.org',
      });
      slow.on('error', () => undefined);
      slow.end();
      const [response] = await once(slow, 'response');
      response.on('error', () => undefined);
      expect(String(await once(response, 'data'))).toBe(FIRST_PART);
      slow.destroy();
    });

    test('attack 3: a target in absolute form is never sent to the homeserver as a login', async () => {
      const bytes = `POST http://evil${LOGIN} HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n`;
      await rawExchange(web.plain, bytes);
      expect(homeserver.requests).toEqual([]);
    });
  });
});
