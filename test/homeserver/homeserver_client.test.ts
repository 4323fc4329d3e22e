import { deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import type { HomeserverCall } from '../../src/homeserver/homeserver.ts';
import { freePort } from '../../tools/free_port.ts';
import { CLIENT, type Reply, refusal, withClient, withTcpServer, withUpstream } from './upstream.ts';

const LOGIN = '/_matrix/client/v3/login';
const GET: HomeserverCall = { method: 'GET', path: LOGIN, client: CLIENT };
const POST: HomeserverCall = {
  method: 'POST',
  path: LOGIN,
  client: CLIENT,
  body: { type: 'm.login.password' },
};

test('attack 51: a request with token and body carries our headers only, each once', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 });
    await homeserver.call({ ...POST, token: 'secret_token', body: { a: 'ü', b: [1, { c: null }] } });
    const [seen] = upstream.seen;
    expect(seen?.headers.toSorted()).toEqual([
      ['authorization', 'Bearer secret_token'],
      ['connection', 'keep-alive'],
      ['content-length', '29'],
      ['content-type', 'application/json'],
      ['host', 'matrix.example.org'],
      ['x-forwarded-for', '203.0.113.7'],
      ['x-forwarded-proto', 'https'],
    ]);
    expect(seen?.text).toBe('{"a":"ü","b":[1,{"c":null}]}');
  }));

test('a request without token and body carries neither Authorization nor Content-Type', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 });
    await homeserver.call(GET);
    expect(upstream.seen[0]?.headers.toSorted()).toEqual([
      ['connection', 'keep-alive'],
      ['host', 'matrix.example.org'],
      ['x-forwarded-for', '203.0.113.7'],
      ['x-forwarded-proto', 'https'],
    ]);
  }));

test('without a Host of the client, the Host is the homeserver itself', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 });
    await homeserver.call({ ...GET, client: { ip: '2001:db8::1', proto: 'http', host: undefined } });
    expect(upstream.seen[0]?.headers).toContainEqual(['host', new URL(upstream.url).host]);
    expect(upstream.seen[0]?.headers).toContainEqual(['x-forwarded-for', '2001:db8::1']);
  }));

test('the path goes out byte for byte, escapes and query included', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 });
    await homeserver.call({ ...GET, path: '/_matrix/client/v3/devices/a%2Fb%20!%2e?x=1&y=%26' });
    expect(upstream.seen[0]?.url).toBe('/_matrix/client/v3/devices/a%2Fb%20!%2e?x=1&y=%26');
  }));

test.each(['a b', 'a\r\nX-Evil: 1', 'tökén', ''])('a token no header may carry (%j) is not sent', (token) =>
  withUpstream(async ({ upstream, homeserver }) => {
    await expect(homeserver.call({ ...GET, token })).rejects.toMatchObject(refusal('unknown_token'));
    expect(upstream.seen).toEqual([]);
  }),
);

test('connections are kept alive', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    for (let round = 0; round < 20; round += 1) {
      upstream.reply({ status: round % 2 === 0 ? 200 : 403 });
      await homeserver.call(POST);
    }
    // The pool may open a second one before the first has told that it is free again.
    expect(upstream.connectionCount).toBeLessThanOrEqual(2);
  }));

test('status, headers, bytes and JSON of an answer come back', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 418, json: { a: 1.5, b: 1e40 }, headers: { 'x-a': 'b' } });
    const answer = await homeserver.call(POST);
    expect(answer.status).toBe(418);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-a': 'b' });
    expect(answer.bytes.toString()).toBe('{"a":1.5,"b":1e+40}');
    expect(answer.json).toEqual({ a: 1.5, b: 1e40 });
  }));

function raw(body: string | Buffer, headers: Record<string, string>): Reply {
  return (response) => response.writeHead(200, headers).end(body);
}

const JSON_HEADERS = { 'content-type': 'application/json' };

test.each<[string, Reply]>([
  ['another content type', raw('{"access_token":"t"}', { 'content-type': 'text/html' })],
  ['a content type that only begins alike', raw('{}', { 'content-type': 'application/json5' })],
  ['no content type', raw('{}', {})],
  ['an array', raw('[{"access_token":"t"}]', JSON_HEADERS)],
  ['null', raw('null', JSON_HEADERS)],
  ['broken JSON', raw('{"access_token":"t"', JSON_HEADERS)],
  ['an empty body', raw('', JSON_HEADERS)],
  ['a byte order mark', raw('\ufeff{}', JSON_HEADERS)],
  ['invalid UTF-8', raw(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), JSON_HEADERS)],
  ['endless nesting', raw('['.repeat(500_000), JSON_HEADERS)],
])('attack 33: a body that is %s is not a JSON object', (_name, reply) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    const answer = await homeserver.call(POST);
    expect(answer.status).toBe(200);
    expect(answer.json).toBeUndefined();
  }),
);

test('a content type with parameters, in any case, is JSON', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(raw('{"a":1}', { 'content-type': 'Application/JSON; charset=utf-8' }));
    expect((await homeserver.call(POST)).json).toEqual({ a: 1 });
  }));

test('attack 14: a __proto__ key in an answer is dropped at every depth', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(raw('{"__proto__":{"x":1},"a":[{"__proto__":{"y":2},"b":1}]}', JSON_HEADERS));
    const { json } = await homeserver.call(POST);
    expect(Object.keys(json ?? {})).toEqual(['a']);
    expect(json).toEqual({ a: [{ b: 1 }] });
    expect(json?.x).toBeUndefined();
  }));

test.each<[string, (text: string) => Buffer]>([
  ['gzip', (text) => gzipSync(text)],
  ['deflate', (text) => deflateSync(text)],
  ['br', (text) => Buffer.from(text)],
  ['x-made-up', (text) => Buffer.from(text)],
])('attack 33: an answer encoded with %s is unclear', (encoding, encode) =>
  withUpstream(async ({ upstream, homeserver }) => {
    const body = encode('{"user_id":"@a:hs","access_token":"t"}');
    upstream.reply(raw(body, { ...JSON_HEADERS, 'content-encoding': encoding }));
    await expect(homeserver.call(POST)).rejects.toMatchObject(refusal('homeserver_unclear'));
  }),
);

test('the content encoding "identity" is none', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(raw('{"a":1}', { ...JSON_HEADERS, 'content-encoding': 'identity' }));
    expect((await homeserver.call(POST)).json).toEqual({ a: 1 });
  }));

test('attack 33: a redirect is not followed', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 307, headers: { location: `${upstream.url}/elsewhere` } });
    expect((await homeserver.call(POST)).status).toBe(307);
    expect(upstream.seen).toHaveLength(1);
  }));

test.each<[string, Reply]>([
  ['with a length', (response) => response.writeHead(200, JSON_HEADERS).end('x'.repeat(1024 * 1024 + 1))],
  [
    'in chunks',
    (response) => {
      response.writeHead(200, JSON_HEADERS);
      for (let part = 0; part < 17; part += 1) response.write('x'.repeat(64 * 1024));
      response.end();
    },
  ],
])('attack 33: an answer of more than 1 MiB (%s) is unclear', (_name, reply) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await expect(homeserver.call(POST)).rejects.toMatchObject(refusal('homeserver_unclear'));
  }),
);

test('an answer of exactly 1 MiB is read', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(raw(Buffer.alloc(1024 * 1024, 0x20), JSON_HEADERS));
    expect((await homeserver.call(POST)).bytes).toHaveLength(1024 * 1024);
  }));

test('attack 91: no answer within the time is 504 homeserver_slow', () =>
  withUpstream(
    async ({ upstream, homeserver }) => {
      upstream.reply(() => undefined);
      await expect(homeserver.call(POST)).rejects.toMatchObject({
        ...refusal('homeserver_slow'),
        status: 504,
      });
    },
    { answerTimeoutMs: 40 },
  ));

test('attack 91: a body that does not end within the time is homeserver_slow', () =>
  withUpstream(
    async ({ upstream, homeserver }) => {
      upstream.reply((response) => response.writeHead(200, JSON_HEADERS).write('{"a":'));
      await expect(homeserver.call(POST)).rejects.toMatchObject(refusal('homeserver_slow'));
    },
    { answerTimeoutMs: 40 },
  ));

test('a connection that never stands is homeserver_slow', () =>
  // TLS belongs to connecting, and this server never says a word of it.
  withTcpServer(
    () => undefined,
    (port) =>
      withClient({ url: `https://127.0.0.1:${port}`, connectTimeoutMs: 40 }, async (homeserver) => {
        await expect(homeserver.call(GET)).rejects.toMatchObject(refusal('homeserver_slow'));
      }),
  ));

test('TLS asks for the homeserver by its own name, not by the Host of the client', async () => {
  let hello = '';
  await withTcpServer(
    (socket) =>
      socket.once('data', (bytes) => {
        hello = bytes.toString('latin1');
        socket.destroy();
      }),
    (port) =>
      withClient({ url: `https://localhost:${port}` }, async (homeserver) => {
        await expect(homeserver.call(GET)).rejects.toMatchObject(refusal('homeserver_unreachable'));
      }),
  );
  expect(hello).toContain('localhost');
  expect(hello).not.toContain('matrix.example.org');
});

test('attack 91: a refused connection is 502 homeserver_unreachable, and recovers by itself', async () => {
  const port = await freePort();
  await withClient({ url: `http://127.0.0.1:${port}` }, async (homeserver) => {
    await expect(homeserver.call(GET)).rejects.toMatchObject({
      ...refusal('homeserver_unreachable'),
      status: 502,
    });
    await withTcpServer(
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
      async () => expect((await homeserver.call(GET)).status).toBe(200),
      port,
    );
  });
});

test('a POST whose connection is reset is homeserver_unreachable and not sent again', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply((_response, request) => request.socket.resetAndDestroy(), { status: 200 });
    await expect(homeserver.call(POST)).rejects.toMatchObject(refusal('homeserver_unreachable'));
    expect(upstream.seen).toHaveLength(1);
  }));

test('an answer cut short is not an answer', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply((response) => {
      response.writeHead(200, { ...JSON_HEADERS, 'content-length': '100' });
      response.write('{}', () => response.destroy());
    });
    await expect(homeserver.call(POST)).rejects.toMatchObject({ status: 502 });
  }));

test('attack 91: garbage instead of HTTP is homeserver_unclear', () =>
  withTcpServer(
    (socket) => socket.end('220 mail.example.org ready\r\n\r\n'),
    (port) =>
      withClient({ url: `http://127.0.0.1:${port}` }, async (homeserver) => {
        await expect(homeserver.call(GET)).rejects.toMatchObject(refusal('homeserver_unclear'));
      }),
  ));

test.each(['000', '099'])('attack 118: a status of %s is homeserver_unclear, and not waited for', (status) =>
  withTcpServer(
    (socket) => socket.once('data', () => socket.write(`HTTP/1.1 ${status} X\r\n\r\n`)),
    (port) =>
      withClient({ url: `http://127.0.0.1:${port}` }, async (homeserver) => {
        await expect(homeserver.call(POST)).rejects.toMatchObject(refusal('homeserver_unclear'));
      }),
  ),
);

test('a client that goes away ends the request upstream', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    const client = new AbortController();
    const closed = new Promise<void>((resolve) => {
      upstream.reply((response) => {
        response.on('close', resolve);
        client.abort(new Error('client is gone'));
      });
    });
    await expect(homeserver.call({ ...POST, signal: client.signal })).rejects.toThrow('client is gone');
    await closed;
  }));

test('for a client that is gone already, nothing is sent', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    const signal = AbortSignal.abort(new Error('client is gone'));
    await expect(homeserver.call({ ...POST, signal })).rejects.toThrow('client is gone');
    expect(upstream.seen).toEqual([]);
  }));

test('attack 70: no refusal names the token or the body that was sent', () =>
  withUpstream(
    async ({ upstream, homeserver }) => {
      upstream.reply(() => undefined);
      const body = { password: 'hunter-two-hunter' };
      const error: unknown = await homeserver.call({ ...POST, token: 'secret_token', body }).catch((e) => e);
      expect(String(error)).not.toMatch(/secret_token|hunter/);
      expect(JSON.stringify(error)).not.toMatch(/secret_token|hunter/);
    },
    { answerTimeoutMs: 20 },
  ));

test('check: any answer but a server error is enough', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, { status: 404 }, { status: 502 });
    await homeserver.check();
    await homeserver.check();
    await expect(homeserver.check()).rejects.toMatchObject(refusal('homeserver_unreachable'));
    expect(upstream.seen[0]).toMatchObject({ method: 'GET', url: '/_matrix/client/versions' });
  }));

test('check waits no longer than for a connection', () =>
  withUpstream(
    async ({ upstream, homeserver }) => {
      upstream.reply(() => undefined);
      await expect(homeserver.check()).rejects.toMatchObject(refusal('homeserver_slow'));
    },
    { connectTimeoutMs: 40 },
  ));
