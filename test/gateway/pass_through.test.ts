import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { freePort } from '../../tools/free_port.ts';
import { exchange, openTestDoor, parseAnswer, rawRequest, type TestDoor } from './support/door.ts';
import { valuesOf } from './support/recording_upstream.ts';

const SYNC = '/_matrix/client/v3/sync';
const UPLOAD = '/_matrix/media/v3/upload';
const MIB = 1024 * 1024;

let door: TestDoor;

beforeAll(async () => {
  door = await openTestDoor();
});

afterAll(() => door.close());

beforeEach(() => {
  door.upstream.seen.length = 0;
  door.upstream.behave(undefined);
});

async function ask(line: string, headers: readonly string[] = [], body = '') {
  return parseAnswer(await exchange(door.port, rawRequest(line, headers, body)));
}

test('a target goes on byte for byte', async () => {
  const target = '/_matrix/client/v3/rooms/!A%2fb%3aC%21/state/m.x/%7e~;a=1?x=%20+&y=;[]{}|^"<>`';
  await ask(`GET ${target}`);
  expect(door.upstream.seen[0]?.target).toBe(target);
});

test('a body and its type go on as they are', async () => {
  await ask('PUT /_matrix/client/v3/rooms/!a:b/send/m.x/1', ['Content-Type: text/weird'], '{"a": 1.50}');
  const [seen] = door.upstream.seen;
  expect(seen?.body.toString()).toBe('{"a": 1.50}');
  expect(valuesOf(seen?.rawHeaders ?? [], 'content-type')).toEqual(['text/weird']);
  expect(valuesOf(seen?.rawHeaders ?? [], 'content-length')).toEqual(['11']);
});

test('a chunked body goes on', async () => {
  const chunked = `POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await exchange(door.port, `${chunked}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
  expect(door.upstream.seen[0]?.body.toString()).toBe('abcde');
});

test('bodies in one piece with their head and bodies in parts go on, one after the other on one connection', async () => {
  const bodies = ['{"a": 1}', '', '{"in": "parts"}', '[]', 'x'.repeat(100_000), '{"last": true}'];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const connections = new Set<Socket>();
  door.door.server.on('request', ({ socket }: IncomingMessage) => connections.add(socket));
  for (const [at, body] of bodies.entries()) {
    const headers = { 'Content-Length': body.length };
    const sent = httpRequest({ agent, port: door.port, path: UPLOAD, method: 'POST', headers });
    const answered = once(sent, 'response');
    if (at % 2 === 1) sent.end(body);
    else {
      sent.write(body.slice(0, 3));
      // The rest comes by itself: some turns later.
      while ((await openConnections()) === 0) await nextTurn();
      for (let turn = 0; turn < 50; turn++) await nextTurn();
      sent.end(body.slice(3));
    }
    const [answer] = (await answered) as [IncomingMessage];
    await once(answer.resume(), 'end');
  }
  agent.destroy();
  expect(door.upstream.seen.map(({ body }) => body.toString())).toEqual(bodies);
  expect(connections.size).toBe(1);
});

test('two requests with bodies in one piece go on in their order', async () => {
  const requests = ['{"first": 1}', '{"second": 2}'].map((body) =>
    rawRequest('PUT /_matrix/client/v3/rooms/!a:b/send/m.x/1', [], body),
  );
  await exchange(door.port, requests.join('').replace('Connection: close\r\n', ''));
  expect(door.upstream.seen.map(({ body }) => body.toString())).toEqual(['{"first": 1}', '{"second": 2}']);
});

test('an answer comes back as it is: status, headers, repeated headers, bytes', async () => {
  door.upstream.behave((_request, response) => {
    response.writeHead(207, 'Odd', [
      ...[
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Name',
        'é',
        'Content-Type',
        'a/b',
        'Content-Length',
        '3',
      ],
    ] as string[]);
    response.end(Buffer.from([0, 255, 10]));
  });
  const received = await exchange(door.port, rawRequest(`GET ${SYNC}`));
  expect(received).toMatch(/^HTTP\/1\.1 207 Multi-Status\r\n/);
  expect(received).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
  expect(received.endsWith('\r\n\r\n\0\xff\n')).toBe(true);
});

test.each([204, 304])('an answer %i without a body ends', async (status) => {
  door.upstream.behave((_request, response) => response.writeHead(status, { ETag: '"x"' }).end());
  const answer = await ask(`GET ${SYNC}`);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('etag')).toBe('"x"');
});

test('HEAD has the headers of GET and no body', async () => {
  door.upstream.behave((_request, response) => response.writeHead(200, { 'Content-Length': 5 }).end());
  const answer = await ask(`HEAD ${UPLOAD}`);
  expect(answer).toMatchObject({ status: 200, body: '' });
  expect(answer.headers.get('content-length')).toBe('5');
});

test('trailers of an answer come through', async () => {
  door.upstream.behave((_request, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('abc');
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  });
  const received = await exchange(door.port, rawRequest(`GET ${SYNC}`));
  expect(received).toContain('\r\n0\r\nX-Sum: 42\r\n\r\n');
});

test('an informational answer does not end the request', async () => {
  door.upstream.behave((_request, response) => {
    response.writeProcessing();
    response.end('later');
  });
  expect((await ask(`GET ${SYNC}`)).body).toBe('later');
});

test('headers arrive before a body that comes much later', async () => {
  let finish: () => void = () => undefined;
  door.upstream.behave((_request, response) => {
    response.writeHead(200).flushHeaders();
    finish = () => response.end('late');
  });
  const received = await exchange(door.port, rawRequest(`GET ${SYNC}`), (text) => {
    if (text.includes('\r\n\r\n')) finish();
    return false;
  });
  expect(parseAnswer(received).body).toBe('late');
});

describe('attack 73: long and large', () => {
  test('an upload waits for the homeserver to read, and nothing is piled up here', async () => {
    let reader: IncomingMessage | undefined;
    const arrived = new Promise<void>((resolve) => {
      door.upstream.behave((request, response) => {
        reader = request;
        request.pause();
        request.on('end', () => response.end('stored'));
        resolve();
      });
    });
    const upload = httpRequest({ port: door.port, host: '127.0.0.1', path: UPLOAD, method: 'POST' });
    const answered = new Promise<string>((resolve) => {
      upload.on('response', (response) => response.on('data', (chunk) => resolve(String(chunk))));
    });
    const total = 256 * MIB;
    const chunk = Buffer.alloc(MIB);
    let sent = 0;
    const pump = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!upload.write(chunk)) return;
      }
      upload.end();
    };
    upload.on('drain', pump);
    pump();
    await arrived;
    // The kernel's buffers fill up; what we would buffer ourselves would show as more sent.
    await settled(() => sent);
    expect(sent).toBeLessThan(64 * MIB);
    reader?.resume();
    expect(await answered).toBe('stored');
    expect(sent).toBe(total);
  });

  test('a download waits for the client to read', async () => {
    const chunk = Buffer.alloc(MIB);
    let sent = 0;
    door.upstream.behave((_request, response) => {
      response.writeHead(200, { 'Content-Length': 256 * MIB });
      const pump = (): void => {
        while (sent < 256 * MIB) {
          sent += chunk.length;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on('drain', pump);
      pump();
    });
    const received = await new Promise<IncomingMessage>((resolve) => {
      httpRequest(
        { port: door.port, host: '127.0.0.1', path: '/_matrix/media/v3/download/a/b' },
        resolve,
      ).end();
    });
    received.pause();
    await settled(() => sent);
    expect(sent).toBeLessThan(64 * MIB);
    let length = 0;
    received.on('data', (part: Buffer) => {
      length += part.length;
    });
    received.resume();
    await new Promise((resolve) => received.on('end', resolve));
    expect(length).toBe(256 * MIB);
  });

  test('a client that goes away during a long poll takes the request upstream with it', async () => {
    const reached = nextAtHomeserver();
    const poll = httpRequest({ port: door.port, host: '127.0.0.1', path: SYNC });
    poll.on('error', () => undefined);
    poll.end();
    const aborted = once((await reached).response, 'close');
    poll.destroy();
    await aborted;
  });

  test('a client that goes away in the middle of an upload takes the request upstream with it', async () => {
    const reached = nextAtHomeserver();
    const upload = httpRequest({ port: door.port, host: '127.0.0.1', path: UPLOAD, method: 'POST' });
    upload.on('error', () => undefined);
    upload.write('part');
    const { request } = await reached;
    request.on('error', () => undefined).resume();
    const aborted = new Promise<void>((resolve) => request.once('close', resolve));
    upload.destroy();
    await aborted;
  });

  test('a client that goes away in the middle of a download takes the request upstream with it', async () => {
    const aborted = new Promise<void>((resolve) => {
      door.upstream.behave((_request, response) => {
        response.on('close', resolve);
        response.write('part');
      });
    });
    await exchange(door.port, rawRequest(`GET ${SYNC}`), (text) => text.includes('part'));
    await aborted;
  });

  test('a homeserver that breaks off in the middle is not taken for a whole answer', async () => {
    door.upstream.behave((_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    const received = await exchange(door.port, rawRequest(`GET ${SYNC}`));
    expect(received).toContain('Content-Length: 100');
    expect(received.endsWith('half')).toBe(true);
  });

  test('an early refusal of an upload reaches the client, and nothing of it keeps the process alive', async () => {
    const before = openTimers();
    door.upstream.behave((_request, response) => response.writeHead(413).end('too much'));
    const upload = httpRequest({ port: door.port, host: '127.0.0.1', path: UPLOAD, method: 'POST' });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(MIB));
    const status = await new Promise((resolve) =>
      upload.on('response', (answer) => resolve(answer.statusCode)),
    );
    expect(status).toBe(413);
    upload.destroy();
    while ((await openConnections()) > 0) await nextTurn();
    expect(openTimers()).toBe(before);
  });
});

describe('attack 74: one true client address', () => {
  const LIES = [
    ...[
      'X-Forwarded-For: 6.6.6.6',
      'x-forwarded-for: 7.7.7.7',
      'X_Forwarded_For: 8.8.8.8',
      'Forwarded: for=6.6.6.6',
    ],
    ...[
      'X-Real-IP: 6.6.6.6',
      'CF-Connecting-IP: 6.6.6.6',
      'True-Client-IP: 6.6.6.6',
      'Fly-Client-IP: 6.6.6.6',
    ],
    ...['X-Forwarded-Proto: https', 'X-Forwarded-Host: evil', 'X-Original-URL: /_synapse/admin'],
  ];

  test('what a client says about itself does not go on', async () => {
    await ask(`GET ${SYNC}`, LIES);
    const raw = door.upstream.seen[0]?.rawHeaders ?? [];
    expect(valuesOf(raw, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesOf(raw, 'x-forwarded-proto')).toEqual(['http']);
    expect(valuesOf(raw, 'host')).toEqual(['proxy.test']);
    expect(raw.join(' ')).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7|8\.8\.8\.8|evil|_synapse/);
  });

  test('what a trusted hop says does, once', async () => {
    const behind = await openTestDoor({ trustedProxies: ['127.0.0.0/8'] });
    await exchange(
      behind.port,
      rawRequest(`GET ${SYNC}`, ['X-Forwarded-For: 6.6.6.6, 9.9.9.9', 'X-Forwarded-Proto: https']),
    );
    const raw = behind.upstream.seen[0]?.rawHeaders ?? [];
    expect(valuesOf(raw, 'x-forwarded-for')).toEqual(['9.9.9.9']);
    expect(valuesOf(raw, 'x-forwarded-proto')).toEqual(['https']);
    await behind.close();
  });
});

test('hop-by-hop headers stay on their hop, both ways', async () => {
  door.upstream.behave((request, response) => {
    response.writeHead(200, { 'Keep-Alive': 'timeout=1', 'Proxy-Authenticate': 'x', Upgrade: 'h2c' });
    response.end(JSON.stringify(request.rawHeaders));
  });
  const answer = await ask(`GET ${SYNC}`, [
    ...['TE: trailers', 'Proxy-Authorization: x', 'Keep-Alive: 5', 'X-Secret: 1', 'Connection: X-Secret'],
  ]);
  expect(answer.body).not.toMatch(/TE|Proxy-Authorization|Keep-Alive|X-Secret/);
  expect(answer.headers.has('proxy-authenticate')).toBe(false);
  expect(answer.headers.has('upgrade')).toBe(false);
});

describe('attack 91: a homeserver that is not there', () => {
  test('is told as 502 with a Matrix error and CORS, and pass-through recovers by itself', async () => {
    const port = await freePort();
    const url = new URL(`http://127.0.0.1:${port}`);
    const alone = await openTestDoor({ upstreamUrl: url });
    const answer = parseAnswer(await exchange(alone.port, rawRequest(`POST ${UPLOAD}`, [], 'x')));
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({ errcode: 'M_UNKNOWN' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');

    const back = createServer((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
    });
    await new Promise<void>((resolve) => back.listen(port, '127.0.0.1', resolve));
    expect(parseAnswer(await exchange(alone.port, rawRequest(`GET ${SYNC}`))).status).toBe(200);
    await alone.close();
    await new Promise((resolve) => back.close(resolve));
  });

  test('garbage is 502', async () => {
    door.upstream.behave((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'));
    expect((await ask(`POST ${UPLOAD}`, [], 'x')).status).toBe(502);
  });

  test('a GET that meets a connection just closed is asked once more', async () => {
    let calls = 0;
    door.upstream.behave((request, response) => {
      if (++calls === 1) request.socket.destroy();
      else response.end('{}');
    });
    expect((await ask(`GET ${SYNC}`)).status).toBe(200);
    expect(calls).toBe(2);
  });

  test('a POST is not', async () => {
    let calls = 0;
    door.upstream.behave((request) => {
      calls++;
      request.socket.destroy();
    });
    expect((await ask('POST /_matrix/client/v3/keys/query', [], '{}')).status).toBe(502);
    expect(calls).toBe(1);
  });
});

/** The next request at the homeserver, which has no answer for it. */
function nextAtHomeserver(): Promise<{
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}> {
  return new Promise((resolve) => {
    door.upstream.behave((request, response) => resolve({ request, response }));
  });
}

function openConnections(): Promise<number> {
  return new Promise((resolve) => door.door.server.getConnections((_error, count) => resolve(count)));
}

/** Those for which Node does not end. */
function openTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once a counter stands still. */
async function settled(counter: () => number): Promise<void> {
  for (let before = -1, still = 0; still < 200; ) {
    await nextTurn();
    still = counter() === before ? still + 1 : 0;
    before = counter();
  }
}
