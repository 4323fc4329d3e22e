import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exchange, openTestDoor, parseAnswer, rawRequest, type TestDoor } from './support/door.ts';

const SYNC = '/_matrix/client/v3/sync';

/** A homeserver that answers every request with the same bytes. */
let upstream: Server;
let bytes = '';
let closes = false;
let door: TestDoor;

beforeAll(async () => {
  upstream = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      socket.write(Buffer.from(bytes, 'latin1'));
      if (closes) socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  door = await openTestDoor({ upstreamUrl: new URL(`http://127.0.0.1:${port}`) });
});

afterAll(async () => {
  await door.close();
  upstream.close();
});

async function answerTo(answer: string, line = `GET ${SYNC}`): Promise<string> {
  bytes = answer;
  return exchange(door.port, rawRequest(line));
}

const head = (status: string, ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, 'Content-Length: 2', ...headers, '', '{}'].join('\r\n');

test.each([
  ['bytes above 0x7f', 'O\xe9\xff'],
  ['tabs', 'O\tK'],
  ['controls', 'O\x01\x1b[2JK'],
  ['DEL', 'O\x7fK'],
  ['nothing', ''],
  ['8 KB', 'K'.repeat(8192)],
])('attack 118: a reason phrase of %s does not go on', async (_what, phrase) => {
  const received = await answerTo(head(`200 ${phrase}`));
  expect(received).toMatch(/^HTTP\/1\.1 (200 OK|502 Bad Gateway)\r\n/);
  expect(received).not.toContain('\x1b');
});

test.each([
  ['000 X', 502],
  ['099 X', 502],
  ['100 Continue', 502],
  ['101 Switching Protocols', 502],
  ['20 X', 502],
  ['2000 X', 502],
  ['6e0 X', 502],
  ['600 X', 600],
  ['999 X', 999],
])('attack 118: a status line of %s ends in %i', async (statusLine, status) => {
  expect(parseAnswer(await answerTo(head(statusLine))).status).toBe(status);
});

test.each(['000', '099'])(
  'attack 118: a status of %s with nothing behind it is not waited for',
  async (status) => {
    expect(parseAnswer(await answerTo(`HTTP/1.1 ${status} X\r\n\r\n`)).status).toBe(502);
  },
);

test.each([
  ['NUL', 'X-Odd: a\0b'],
  ['a lone carriage return', 'X-Odd: a\rb'],
  ['a control', 'X-Odd: a\x01b'],
  ['DEL', 'X-Odd: a\x7fb'],
  ['20 KB', `X-Odd: ${'a'.repeat(20_000)}`],
  ['a name with a blank', 'X Odd: a'],
  ['a name of bytes above 0x7f', 'X-\xe9: a'],
  ['no name', ': a'],
  ['no colon', 'X-Odd'],
  ['a second length', 'Content-Length: 3'],
  ['a length and chunks', 'Transfer-Encoding: chunked'],
  ['a folded value', 'X-Odd: a\r\n b'],
])('attack 118: a header with %s', async (_what, header) => {
  const answer = parseAnswer(await answerTo(head('200 OK', header)));
  expect([200, 502]).toContain(answer.status);
  expect(JSON.stringify([...answer.headers])).not.toMatch(/\\u0000|\\u0001|\\r|\\n/);
});

test('attack 118: a header of bytes above 0x7f and tabs goes on as it is', async () => {
  const received = await answerTo(head('200 OK', 'X-Odd: \xe9\xff\tz'));
  expect(received).toContain('X-Odd: \xe9\xff\tz\r\n');
});

test.each([
  ['a control', 'X-Sum: a\x01b'],
  ['NUL', 'X-Sum: a\0b'],
  ['no name', ': 1'],
  ['a name with a blank', 'X Sum: 1'],
  ['20 KB', `X-Sum: ${'a'.repeat(20_000)}`],
  ['what frames a message', 'Content-Length: 7\r\nTransfer-Encoding: chunked'],
])('attack 118: a trailer of %s: the answer ends, and holds none of it', async (_what, trailer) => {
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n${trailer}\r\n\r\n`;
  const received = await answerTo(chunked);
  expect(parseAnswer(received)).toMatchObject({ status: 200, body: '{}' });
  expect(received.slice(received.indexOf('{}'))).not.toMatch(/x[- ]sum|content-length|transfer-encoding/i);
});

test('attack 118: whatever a homeserver says before it closes, the client has an answer', async () => {
  const odd = fc.constantFrom(
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\t',
    ' ',
    ':',
    '\x7f',
    '\xff',
    'é',
    '0',
    'HTTP/1.1 ',
  );
  const lines = fc.constantFrom(
    ...[
      'HTTP/1.1 200 OK',
      'HTTP/1.0 204 x',
      'HTTP/1.1 099 x',
      'HTTP/1.1 103 x',
      'HTTP/2 200',
      'Content-Length: 2',
    ],
    ...[
      'Content-Length: -1',
      'Transfer-Encoding: chunked',
      'Connection: upgrade',
      'Upgrade: h2c',
      'Trailer: X-Sum',
    ],
    ...['X-Odd: \xff', '2', '{}', '0', ''],
  );
  const texts = fc.array(fc.oneof(odd, lines, fc.constant('\r\n'), fc.string({ maxLength: 5 })), {
    maxLength: 12,
  });
  closes = true;
  try {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), texts, async (isHttp, pieces) => {
        const received = await answerTo(`${isHttp ? 'HTTP/1.1 200 OK\r\n' : ''}${pieces.join('')}`);
        expect(received).toMatch(/^HTTP\/1\.1 \d{3} [\x20-\x7e]+\r\n/);
      }),
      { numRuns: 400 },
    );
  } finally {
    closes = false;
  }
});

test('attack 118: what is no HTTP at all', async () => {
  expect(parseAnswer(await answerTo('\x16\x03\x01\x02\x00\x01\x00')).status).toBe(502);
});

test.each([
  [{ status: 1000, body: {} }],
  [{ status: Number.NaN, body: {} }],
  [{ status: 200, body: {}, headers: { 'X-Odd': 'a\r\nSet-Cookie: b' } }],
  [{ status: 302, body: Buffer.alloc(0), headers: { 'Set-Cookie': ['a=1', 'b=\0'], Location: '/é€' } }],
])('attack 118: one of our answers that cannot be written is 500: %j', async (answer) => {
  door.answerWith(async () => answer);
  const received = parseAnswer(await exchange(door.port, rawRequest('GET /_2fa/health')));
  expect(received.status).toBe(500);
  expect(received.headers.has('set-cookie')).toBe(false);
  expect(received.headers.has('location')).toBe(false);
  expect(JSON.parse(received.body)).toMatchObject({ errcode: 'M_UNKNOWN' });
});

test.each([
  '/_matrix/client/v3/sync',
  '/_matrix/client/v3/login',
  '/_2fa/health',
  '/_matrix/media/v3/upload',
])('attack 163: TRACE of %s is 405, and nothing is asked upstream', async (path) => {
  let reached = 0;
  upstream.on('connection', () => {
    reached += 1;
  });
  const answer = parseAnswer(await answerTo(head('200 OK'), `TRACE ${path}`));
  expect(answer.status).toBe(405);
  expect(JSON.parse(answer.body)).toMatchObject({ errcode: 'M_UNRECOGNIZED' });
  expect(reached).toBe(0);
});
