import { connect } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import type { Answer } from '../../src/http/answer.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { exchange, openTestDoor, parseAnswer, rawRequest, type TestDoor } from './support/door.ts';

const LOGIN = '/_matrix/client/v3/login';
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';

let door: TestDoor;

beforeAll(async () => {
  door = await openTestDoor();
});

afterAll(() => door.close());

beforeEach(() => {
  door.upstream.seen.length = 0;
  door.handled.length = 0;
  door.answerWith(async () => ({ status: 200, body: { ok: true } }));
});

async function ask(line: string, headers: readonly string[] = [], body = '') {
  const answer = parseAnswer(await exchange(door.port, rawRequest(line, headers, body)));
  return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

function expectNothingReached(): void {
  expect(door.upstream.seen).toEqual([]);
  expect(door.handled).toEqual([]);
}

describe('a gated request', () => {
  test('comes to its handler in canonical form', async () => {
    const answer = await ask(
      'DELETE /_matrix/client/v3/devices/a%20%2fb?x=1%3b2&x=3&user_id=%40v%3Ahs',
      ['Authorization: Bearer tok', 'User-Agent: test'],
      '{"auth":null}',
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ ok: true });
    const [{ id, request } = { id: '', request: undefined }] = door.handled;
    expect(id).toBe('delete_device');
    expect(request).toMatchObject({
      method: 'DELETE',
      path: '/_matrix/client/v3/devices/a%20%2Fb',
      params: { deviceId: 'a /b' },
      search: '?x=1%3B2',
      token: { kind: 'token', token: 'tok' },
      body: { auth: null },
      client: { ip: '127.0.0.1', proto: 'http', host: 'proxy.test' },
    });
    expect(door.upstream.seen).toEqual([]);
  });

  test('without a body has none', async () => {
    await ask('POST /_matrix/client/v3/logout');
    expect(door.handled[0]?.request.body).toBeUndefined();
  });

  test('by HEAD on a GET route is answered without a body', async () => {
    const answer = await ask(`HEAD ${LOGIN}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('');
    expect(door.handled[0]?.id).toBe('login_flows');
  });

  test('is told through its signal when the client goes away', async () => {
    const socket = connect(door.port, '127.0.0.1', () => socket.write(rawRequest(`POST ${LOGIN}`, [], '{}')));
    await new Promise<void>((resolve) => {
      door.answerWith((request) => {
        request.signal.addEventListener('abort', () => resolve());
        socket.destroy();
        return new Promise<Answer>(() => undefined);
      });
    });
  });
});

describe('answers', () => {
  test('have exactly application/json, and are never stored', async () => {
    const { headers } = await ask(`GET ${LOGIN}`);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('may be bytes with headers of their own', async () => {
    door.answerWith(async () => ({
      status: 200,
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'max-age=60' },
      body: Buffer.from('<p>é</p>'),
    }));
    const answer = parseAnswer(await exchange(door.port, rawRequest(`GET ${LOGIN}`)));
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('max-age=60');
    expect(answer.headers.get('content-length')).toBe('9');
  });

  test('to wait say for how long, in seconds too', async () => {
    door.answerWith(() =>
      Promise.reject(new Refusal('limit_exceeded', { limit: 'address', retryAfterMs: 30_200 })),
    );
    const answer = await ask(`POST ${LOGIN}`, [], '{}');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('31');
    expect(answer.json).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 30_200 });
  });

  test('fail closed when the store or a handler fails, and say nothing about why', async () => {
    door.answerWith(() => Promise.reject(new StoreUnavailable(new Error('disk on fire'))));
    expect(await ask(`POST ${LOGIN}`, [], '{}')).toMatchObject({
      status: 503,
      json: { errcode: 'M_UNKNOWN' },
    });
    door.answerWith(() => Promise.reject(new Error('secret')));
    const failed = await ask(`POST ${LOGIN}`, [], '{}');
    expect(failed).toMatchObject({ status: 500, json: { errcode: 'M_UNKNOWN' } });
    expect(failed.body).not.toContain('secret');
  });
});

test.each([
  `POST ${LOGIN}/`,
  'POST /_matrix/client/v3/%6Cogin',
  `POST ${LOGIN};x`,
  'POST /_matrix/./client/v3/login',
])('attack 2: %s reaches no one', async (line) => {
  expect(await ask(line, [], '{}')).toMatchObject({ status: 404, json: { errcode: 'M_UNRECOGNIZED' } });
  expectNothingReached();
});

test.each(['POST http://evil/_matrix/client/v3/login', 'OPTIONS *', 'POST x:/_matrix/client/v3/login'])(
  'attack 3: %s is refused',
  async (line) => {
    expect(await ask(line, [], '{}')).toMatchObject({ status: 400, json: { errcode: 'M_UNRECOGNIZED' } });
    expectNothingReached();
  },
);

test('attack 3: CONNECT is refused', async () => {
  const answer = parseAnswer(await exchange(door.port, rawRequest('CONNECT evil:443')));
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ errcode: 'M_UNRECOGNIZED' });
  expectNothingReached();
});

test('attack 10: method overrides go neither to a handler nor upstream', async () => {
  const override = ['X-HTTP-Method-Override: POST', 'X-Method-Override: POST', 'X-HTTP-Method: POST'];
  expect((await ask(`GET /_matrix/client/v3/account/password`, override)).status).toBe(405);
  expectNothingReached();
  await ask('GET /_matrix/client/v3/sync', override);
  expect(door.upstream.seen[0]?.method).toBe('GET');
  expect(door.upstream.seen[0]?.rawHeaders.join().toLowerCase()).not.toContain('override');
});

describe('attack 13: repeated keys', () => {
  test('the last one counts, and only one is left', async () => {
    await ask(`POST ${LOGIN}`, [], '{"type":"a","password":"x","type":"b","password":"y"}');
    expect(JSON.stringify(door.handled[0]?.request.body)).toBe('{"type":"b","password":"y"}');
  });
});

test('attack 14: __proto__ pollutes nothing and does not go on', async () => {
  await ask(
    `POST ${LOGIN}`,
    [],
    '{"__proto__":{"admin":true},"identifier":{"__proto__":{"user":"v"},"type":"t"}}',
  );
  expect(JSON.stringify(door.handled[0]?.request.body)).toBe('{"identifier":{"type":"t"}}');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test.each([
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/json; charset=utf-16',
  'multipart/form-data',
])('attack 18: under the content type %s the body is JSON, and no token hides in it', async (type) => {
  const body = '{"x":"&access_token=VICTIM&"}';
  expect(
    (await ask('POST /_matrix/client/v3/account/password', [`Content-Type: ${type}`], body)).status,
  ).toBe(200);
  expect(door.handled[0]?.request).toMatchObject({
    token: { kind: 'none' },
    body: { x: '&access_token=VICTIM&' },
  });
});

describe('attack 19: bodies that are not sound JSON', () => {
  const utf16 = Buffer.from('{"type":"x"}', 'utf16le');
  test.each<[string, string | Buffer, number]>([
    ['utf-16', utf16, 400],
    ['a byte order mark', '\ufeff{}', 400],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ['a lone surrogate', '{"a":"\\ud800"}', 400],
    ['1e400', '{"a":1e400}', 400],
    ['10 000 levels', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 400],
    ['an array', '[]', 400],
    ['nothing but a blank', ' ', 400],
    ['a tail', '{}x', 400],
    ['10 MiB', `{"a":"${'x'.repeat(10 * 1024 * 1024)}"}`, 413],
    ['a byte too much', `{"a":"${'x'.repeat(64 * 1024)}"}`, 413],
  ])('%s', async (_name, body, status) => {
    const bytes = Buffer.from(body);
    const head = rawRequest(`POST ${LOGIN}`, [`Content-Length: ${bytes.length}`]);
    const answer = parseAnswer(await exchange(door.port, Buffer.concat([head, bytes])));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).errcode).toMatch(/^M_(NOT_JSON|BAD_JSON|TOO_LARGE)$/);
    expectNothingReached();
  });

  test('a body that is announced to be huge is refused before it is sent', async () => {
    const answer = await exchange(door.port, rawRequest(`POST ${LOGIN}`, ['Content-Length: 99999999999']));
    expect(parseAnswer(answer).status).toBe(413);
    expectNothingReached();
  });

  test('key uploads and device lists may be larger', async () => {
    const body = `{"a":"${'x'.repeat(900 * 1024)}"}`;
    expect((await ask(`POST ${DELETE_DEVICES}`, [], body)).status).toBe(200);
  });

  test('sound JSON without any content type is read', async () => {
    expect((await ask(`POST ${LOGIN}`, [], '{"a":1}')).status).toBe(200);
    expect(door.handled[0]?.request.body).toEqual({ a: 1 });
  });
});

describe('attack 21: more than one token', () => {
  test.each<[string, string, string[]]>([
    ['header and query', `${DELETE_DEVICES}?access_token=B`, ['Authorization: Bearer A']],
    ['two headers', DELETE_DEVICES, ['Authorization: Bearer A', 'Authorization: Bearer B']],
    ['twice in the query', `${DELETE_DEVICES}?access_token=A&access_token=A`, []],
  ])('%s is malformed', async (_name, target, headers) => {
    await ask(`POST ${target}`, headers, '{}');
    expect(door.handled[0]?.request.token).toEqual({ kind: 'malformed' });
    expect(door.handled[0]?.request.search).toBe('');
  });
});

test('attack 22: user_id in the query goes nowhere on gated routes', async () => {
  await ask(`POST ${DELETE_DEVICES}?user_id=%40v%3Ahs&x=1`, ['Authorization: Bearer A'], '{}');
  expect(door.handled[0]?.request.search).toBe('?x=1');
  expect(door.handled[0]?.request.query.has('user_id')).toBe(false);
});

test('attack 23: a Connection header cannot take the token away', async () => {
  const headers = ['Connection: Authorization, X-Other', 'Authorization: Bearer A', 'X-Other: 1'];
  await ask('POST /_matrix/client/v3/account/password', headers, '{}');
  expect(door.handled[0]?.request.token).toEqual({ kind: 'token', token: 'A' });
  await ask('GET /_matrix/client/v3/sync', headers);
  expect(door.upstream.seen[0]?.rawHeaders).toContain('Bearer A');
  expect(door.upstream.seen[0]?.rawHeaders).not.toContain('X-Other');
});

describe('attack 24: ambiguous framing', () => {
  test.each<[string, string[]]>([
    ['length and chunked', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['an unknown coding', ['Transfer-Encoding: xchunked']],
    ['a coding behind chunked', ['Transfer-Encoding: chunked, identity']],
    ['a header with a blank before its colon', ['Content-Length : 5']],
    ['a folded header', ['X-A: 1\r\n Content-Length: 5']],
  ])('%s is refused', async (_name, headers) => {
    for (const target of [LOGIN, '/_matrix/client/v3/keys/query']) {
      const bytes = [
        'POST ',
        target,
        ' HTTP/1.1\r\nHost: x\r\n',
        ...headers.map((line) => `${line}\r\n`),
        '\r\n0\r\n\r\n',
      ];
      const received = await exchange(door.port, bytes.join(''), (text) => text.includes('\r\n\r\n'));
      expect(parseAnswer(received).status).toBe(400);
      expectNothingReached();
    }
  });

  test('what follows a short body is its own request, and garbage ends the connection', async () => {
    const first = `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;
    const received = await exchange(door.port, `${first}GARBAGE\r\n\r\n`);
    expect(received.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect(door.upstream.seen).toEqual([]);
  });

  test('pipelined requests are answered in their order', async () => {
    const one = `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"a":"1"}`;
    const two = 'GET /_matrix/client/v3/sync HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const received = await exchange(door.port, one + two);
    expect(received.indexOf('"ok"')).toBeGreaterThan(0);
    expect(received.indexOf('X-From: homeserver')).toBeGreaterThan(received.indexOf('"ok"'));
  });
});

describe('attack 97: odd transport', () => {
  test('an Upgrade is not taken up, nor passed on', async () => {
    const headers = ['Upgrade: websocket', 'Sec-WebSocket-Key: eA==', 'Sec-WebSocket-Version: 13'];
    const bytes = rawRequest('GET /_matrix/client/v3/sync', headers)
      .toString('latin1')
      .replace('Connection: close', 'Connection: Upgrade, close');
    expect(parseAnswer(await exchange(door.port, bytes)).status).toBe(200);
    expect(door.upstream.seen[0]?.rawHeaders.map((text) => text.toLowerCase())).not.toContain('upgrade');
  });

  test('the HTTP/2 preface is a bad request', async () => {
    const received = await exchange(door.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(parseAnswer(received).status).toBe(400);
  });

  test('headers over 16 KiB are 431, with a Matrix error', async () => {
    const received = await exchange(door.port, rawRequest(`GET ${LOGIN}`, [`X-Big: ${'x'.repeat(20_000)}`]));
    const answer = parseAnswer(received);
    expect(answer.status).toBe(431);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expectNothingReached();
  });

  test('100-continue is answered before the body', async () => {
    for (const target of [LOGIN, '/_matrix/client/v3/keys/query']) {
      const received = await exchange(
        door.port,
        `POST ${target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
        (text) => text.includes('100 Continue'),
      );
      expect(received).toContain('HTTP/1.1 100 Continue');
    }
  });

  test('a refused target gets no 100-continue', async () => {
    const received = await exchange(
      door.port,
      rawRequest('POST /_synapse/admin/x', ['Expect: 100-continue', 'Content-Length: 2']),
      (text) => text.includes('M_UNRECOGNIZED'),
    );
    expect(parseAnswer(received).status).toBe(404);
  });

  test('another expectation is none', async () => {
    expect((await ask('GET /_matrix/client/v3/sync', ['Expect: x'])).status).toBe(200);
    expect(door.upstream.seen[0]?.rawHeaders).not.toContain('Expect');
  });

  test('request trailers do not become headers', async () => {
    const bytes = [
      `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '2\r\n{}\r\n0\r\nAuthorization: Bearer evil\r\n\r\n',
    ];
    expect(parseAnswer(await exchange(door.port, bytes.join(''))).status).toBe(200);
    expect(door.handled[0]?.request.token).toEqual({ kind: 'none' });
  });

  test('a body that does not come is not waited for', async () => {
    const impatient = await openTestDoor({ times: { bodyMs: 20 } });
    const received = await exchange(
      impatient.port,
      `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{`,
    );
    expect(parseAnswer(received).status).toBe(408);
    expect(impatient.handled).toEqual([]);
    await impatient.close();
  });

  test('connections wait for their next request long enough, and for its headers a little longer', () => {
    const { server } = door.door;
    expect(server.keepAliveTimeout).toBeGreaterThanOrEqual(75_000);
    expect(server.headersTimeout).toBeGreaterThan(server.keepAliveTimeout);
    expect(server.requestTimeout).toBe(0);
  });
});

describe('attack 99: CORS on every answer of our own', () => {
  test.each<[string, string, number]>([
    ['GET', '/nowhere', 404],
    ['GET', '/_matrix/client/v3/account/password', 405],
    ['POST', `${LOGIN}#x`, 400],
    ['POST', LOGIN, 200],
    ['GET', '/_2fa/health', 200],
  ])('%s %s', async (method, target, status) => {
    const answer = await ask(`${method} ${target}`);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')).toBe('Retry-After');
    expect(door.upstream.seen).toEqual([]);
  });

  test.each<[string, number]>([
    ['unknown_token', 401],
    ['forbidden', 403],
    ['too_large', 413],
    ['limit_exceeded', 429],
    ['homeserver_unreachable', 502],
  ] as const)('refusal %s', async (name, status) => {
    door.answerWith(() => Promise.reject(new Refusal(name as 'forbidden')));
    const answer = await ask(`POST ${LOGIN}`, [], '{}');
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  test.each([LOGIN, '/_matrix/client/v3/devices/ABC', '/_matrix/client/r0/account/two-factor'])(
    'a preflight on %s needs nobody else',
    async (target) => {
      const answer = await ask(`OPTIONS ${target}`, [
        'Origin: https://app.example',
        'Access-Control-Request-Method: POST',
      ]);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE, OPTIONS');
      expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
      expectNothingReached();
    },
  );

  test('a preflight on other paths is the homeserver’s', async () => {
    await ask('OPTIONS /_matrix/client/v3/sync');
    expect(door.upstream.seen[0]?.method).toBe('OPTIONS');
  });
});

test.each([`${LOGIN}#f`, `${DELETE_DEVICES}#x`, `${LOGIN}\\x`, `${LOGIN}\x7f`, `${LOGIN}?#x`])(
  'attack 102: POST %j is refused',
  async (target) => {
    const received = await exchange(door.port, rawRequest(`POST ${target}`, [], '{}'));
    expect(parseAnswer(received).status).toBe(400);
    expectNothingReached();
  },
);

test.each([' ', '\x80', '\xff', '\0'])(
  'attack 102: a target with the raw byte %j is refused',
  async (byte) => {
    const received = await exchange(door.port, rawRequest(`POST ${LOGIN}${byte}x`, [], '{}'));
    expect(parseAnswer(received).status).toBe(400);
    expectNothingReached();
  },
);

describe('attack 105: other spellings of a token', () => {
  test.each(['bearer x', 'Bearer  x', 'Basic x', 'x', 'BEARER x', 'Bearer', 'Bearer a b', 'Bearer\tx', ''])(
    '%j is malformed',
    async (value) => {
      await ask(`POST ${DELETE_DEVICES}`, [`Authorization: ${value}`], '{}');
      expect(door.handled[0]?.request.token).toEqual({ kind: 'malformed' });
    },
  );

  test('a blank around it is the transport’s', async () => {
    await ask(`POST ${DELETE_DEVICES}`, ['Authorization:   Bearer x  '], '{}');
    expect(door.handled[0]?.request.token).toEqual({ kind: 'token', token: 'x' });
  });
});

test('attack 116: a connection that could not be accepted, and an answer that could not be written', async () => {
  expect(() => door.door.server.emit('error', new Error('EMFILE'))).not.toThrow();
  door.door.server.once('request', (_request, response) => {
    // What a connection has sent first is begun when all of it was read.
    setImmediate(() => response.emit('error', new Error('EPIPE')));
  });
  expect((await ask('GET /_2fa/health')).status).toBe(200);
});

test('shutting down lets a request under way finish', async () => {
  const leaving = await openTestDoor();
  let release: () => void = () => undefined;
  leaving.answerWith(
    () =>
      new Promise((resolve) => {
        release = () => resolve({ status: 200, body: { late: true } });
      }),
  );
  const pending = exchange(leaving.port, `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`);
  while (leaving.handled.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = leaving.door.close(10_000);
  release();
  expect(parseAnswer(await pending).body).toBe('{"late":true}');
  await closed;
  await leaving.upstream.close();
});
