import { connect } from 'node:net';
import fc from 'fast-check';
import { LOGIN, startApp, type TestApp } from '../support/app.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES, type RecordedRequest } from '../support/stub/stub.ts';
import type { Campaign } from './campaign.ts';

/** Stands in everything that a client claims about who it is, and must reach no one. */
const CLAIM = '203.0.113.66';
/** The path of a request that hides in a body: no one sent it. */
const HIDDEN = '/_matrix/client/v3/hidden';
const TOKEN = 'sound_token';
const LONGEST_ANSWER = 64 * 1024;

type Framing = 'none' | 'length' | 'chunked';

interface Piece {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly framing: Framing;
  readonly chunkSize: number;
  readonly trailers: readonly string[];
  readonly body: string;
}

const hidden = `GET ${HIDDEN} HTTP/1.1\r\nHost: h\r\n\r\n`;

const TARGETS = [
  ...[
    '/_matrix/client/v3/sync',
    '/_matrix/client/v3/rooms/!r:hs/send/m/1',
    '/_matrix/client/v3/capabilities',
  ],
  ...[
    LOGIN,
    '/_matrix/client/v3/delete_devices',
    '/_matrix/client/v3/account/password',
    '/_matrix/client/v3/register',
  ],
  ...[
    '/_matrix/client/v3/logout',
    '/_matrix/client/v3/devices/X',
    '/_matrix/client/versions',
    '/_2fa/health',
  ],
  ...['/_matrix/client/v3/account/two-factor', '/_matrix/client/v3/refresh', '/_matrix/media/v3/config'],
];

const CLAIMS = [
  ...[
    'X-Forwarded-For',
    'x-forwarded-for',
    'X_Forwarded_For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'Forwarded',
  ],
  ...[
    'X-Real-IP',
    'X_Real_IP',
    'CF-Connecting-IP',
    'True-Client-IP',
    'Fly-Client-IP',
    'X-Client-IP',
    'Client-IP',
  ],
  ...['X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-Cluster-Client-IP', 'X-Forwarded'],
].map((name) => `${name}: ${CLAIM}`);

const TOKENS = [
  ...[
    `Bearer ${TOKEN}`,
    `Bearer ${TOKEN}`,
    `bearer ${TOKEN}`,
    `Bearer  ${TOKEN}`,
    `BEARER ${TOKEN}`,
    `Basic ${TOKEN}`,
  ],
  ...[
    TOKEN,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN} x`,
    `Bearer\t${TOKEN}`,
    `Bearer ${TOKEN},Bearer y`,
    'Bearer t\u00e9',
  ],
].map((value) => `Authorization: ${value}`);

const CONNECTIONS = [
  ...[
    'close',
    'keep-alive',
    'close, Authorization',
    'Authorization',
    'keep-alive, X-Forwarded-For, Host',
    'upgrade',
  ],
  ...[
    'Content-Length',
    'Transfer-Encoding',
    'X-Mark',
    'close, close',
    ',',
    'keep-alive, te',
    'Content-Type, x',
  ],
].map((value) => `Connection: ${value}`);

const LENGTHS = [
  '0',
  '5',
  '+5',
  '-1',
  '0x10',
  '5, 5',
  '5, 6',
  '',
  ' 7 ',
  '1e1',
  '99999999999999999999',
  '00000000000000000003',
];
const ENCODINGS = [
  ...[
    'chunked',
    'Chunked',
    'xchunked',
    'chunked, chunked',
    'identity',
    'gzip, chunked',
    'chunked, identity',
    'chunked;q=1',
  ],
  ...['\tchunked', '"chunked"', 'chunked\x0b', ' chunked ', ''],
];

const CONFLICTS = [
  ...LENGTHS.map((value) => `Content-Length: ${value}`),
  ...ENCODINGS.map((value) => `Transfer-Encoding: ${value}`),
  'Transfer-Encoding : chunked',
  'Content-Length : 3',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  ' Transfer-Encoding: chunked',
];

const ODDITIES = [
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'Upgrade: websocket',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABk',
    'TE: trailers',
  ],
  ...[
    'Trailer: Authorization',
    'Content-Type: text/plain; charset=utf-16',
    'Content-Type: multipart/form-data; boundary=x',
  ],
  ...[
    'Content-Encoding: gzip',
    'Host: other',
    'Host: a,b',
    'Host: h\u00e9',
    'Cookie: a=b',
    'Proxy-Authorization: Basic x',
  ],
  ...[
    'Proxy-Connection: keep-alive',
    'Keep-Alive: timeout=1',
    'X-Empty:',
    'X-Long: '.padEnd(3000, 'x'),
    'X-8bit: \u00ff\u0080',
  ],
  ...[
    'X-Folded: a\r\n b',
    'X-Bare: a\rb',
    'X-Nul: a\0b',
    'X-Line: a\nX-Other: b',
    'no colon',
    ': no name',
    'X Y: z',
    'X\u00e9: y',
  ],
  ...[
    '__proto__: x',
    'constructor: y',
    'Range: bytes=0-',
    'If-None-Match: *',
    'Origin: null',
    'Max-Forwards: 0',
    'Via: 1.0 x',
  ],
];

const header = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TOKENS) },
  { weight: 4, arbitrary: fc.constantFrom(...CLAIMS) },
  { weight: 2, arbitrary: fc.constantFrom(...CONNECTIONS) },
  { weight: 2, arbitrary: fc.constantFrom(...ODDITIES) },
  { weight: 1, arbitrary: fc.constantFrom(...CONFLICTS) },
);

const piece: fc.Arbitrary<Piece> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'),
  target: fc.constantFrom(...TARGETS),
  headers: fc.array(header, { maxLength: 5 }),
  framing: fc.constantFrom<Framing>('none', 'length', 'length', 'chunked'),
  chunkSize: fc.integer({ min: 1, max: 64 }),
  trailers: fc.array(
    fc.constantFrom('X-T: 1', `Authorization: Bearer ${TOKEN}`, ...CLAIMS, 'Content-Length: 3'),
    { maxLength: 2 },
  ),
  body: fc.constantFrom(
    '{}',
    hidden,
    `{"type":"m.login.password"}${hidden}`,
    '',
    '\r\n',
    `0\r\n\r\n${hidden}`,
  ),
});

/** What goes over one connection, and where it is cut into writes (fractions of the whole). */
const conversation = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 3 }),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
});

type Conversation = typeof conversation extends fc.Arbitrary<infer Of> ? Of : never;

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

/** Headers, framings and pipelines over bare sockets (attacks 21, 23, 24, 74, 97, 105). */
export const wireFormats: Campaign = {
  name: 'headers and framing',
  runsPerWorld: 15,
  begin: async (round) => {
    const personality = personalities[round % personalities.length] ?? 'synapse';
    const app = await startApp({ personality, users: [{ name: 'bob', password: 'correct horse' }] });
    await app.enrol('bob');
    const counts = { connections: 0, requests: 0, arrived: 0, answers: 0 };
    const property = fc.asyncProperty(
      fc.array(conversation, { minLength: 1, maxLength: 24, size: 'max' }),
      async (conversations) => {
        app.stub.clear();
        const answers = await Promise.all(conversations.map((each, at) => converse(app, each, at)));
        counts.connections += conversations.length;
        counts.requests += conversations.reduce((sum, { pieces }) => sum + pieces.length, 0);
        counts.arrived += app.stub.requests.length;
        counts.answers += answers.reduce((sum, answer) => sum + answer.split('HTTP/1.1 ').length - 1, 0);
        for (const answer of answers) requireSound(answer);
        requireNoFailure(answers, app.stub.requests);
        for (const request of app.stub.requests) {
          requireClean(request);
          requireTokenKept(request, conversations);
        }
        requireEachOnce(app.stub.requests);
        await requireAlive(app);
      },
    );
    return { property, counts, end: () => app.stop() };
  },
};

/** Everything that came back until the server closed, the last answer was there, or nothing more came. */
function converse(app: TestApp, { pieces, cuts }: Conversation, connection: number): Promise<string> {
  const bytes = Buffer.concat(pieces.map((each, at) => bytesOf(each, `${connection}.${at}`)));
  const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b);
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const write = async (): Promise<void> => {
      let begin = 0;
      for (const end of ends) {
        if (end > begin && socket.writable) socket.write(bytes.subarray(begin, end));
        begin = Math.max(begin, end);
        await new Promise((next) => setImmediate(next));
      }
    };
    socket.setNoDelay(true);
    socket.once('connect', () => void write());
    socket.setTimeout(250, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.once('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(received));
  });
}

function bytesOf(
  { method, target, headers, framing, chunkSize, trailers, body }: Piece,
  mark: string,
): Buffer {
  const framed = body === '' && framing === 'length' ? 'none' : framing;
  const lines = [
    `${method} ${target}?mark=${mark} HTTP/1.1`,
    'Host: proxy.test',
    'X-Fuzz-Mark: 1',
    ...headers,
    ...(framed === 'length' ? [`Content-Length: ${body.length}`] : []),
    ...(framed === 'chunked' ? ['Transfer-Encoding: chunked'] : []),
  ];
  const content =
    framed === 'chunked' ? chunksOf(body, chunkSize, trailers) : framed === 'length' ? body : '';
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`, 'latin1');
}

function chunksOf(body: string, size: number, trailers: readonly string[]): string {
  const chunks: string[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.slice(at, at + size);
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  }
  return `${chunks.join('')}0\r\n${trailers.map((trailer) => `${trailer}\r\n`).join('')}\r\n`;
}

function requireSound(answer: string): void {
  if (answer !== '' && !answer.startsWith('HTTP/1.1 ')) throw new Error(`not HTTP: ${answer.slice(0, 300)}`);
  if (answer.length > LONGEST_ANSWER) throw new Error(`an answer of ${answer.length} bytes`);
}

/** But for those of the homeserver: Conduit answers an odd token with 500. */
function requireNoFailure(answers: readonly string[], requests: readonly RecordedRequest[]): void {
  const failures = answers.flatMap((answer) => answer.match(/HTTP\/1\.1 5\d\d[\s\S]{0,600}/g) ?? []);
  const passedOn = requests.filter(({ status }) => (status ?? 0) >= 500);
  if (failures.length > passedOn.length) throw new Error(`a failure: ${failures.join('\n')}`);
}

/** Nothing hidden, no claims, one true address, and what we send ourselves with a sound token or none. */
function requireClean({ method, target, rawHeaders, headers }: RecordedRequest): void {
  const told = `${method} ${target} ${JSON.stringify(rawHeaders)}`;
  if (target.includes('hidden')) throw new Error(`a request that nobody sent arrived: ${told}`);
  const claimed = rawHeaders.some(
    (name, at) => at % 2 === 0 && rawHeaders[at + 1]?.includes(CLAIM) && !/^x-forwarded$/i.test(name),
  );
  if (claimed) throw new Error(`a claim of the client arrived: ${told}`);
  const addresses = rawHeaders.filter(
    (_, at) => at % 2 === 1 && /^x[-_]forwarded[-_]for$/i.test(rawHeaders[at - 1] ?? ''),
  );
  if (addresses.join() !== '127.0.0.1')
    throw new Error(`${addresses.length} addresses of the client: ${told}`);
  const isOurs = !('x-fuzz-mark' in headers);
  const { authorization } = headers;
  if (isOurs && authorization !== undefined && !/^Bearer [\x21-\x7e]+$/.test(authorization)) {
    throw new Error(`a malformed token on a gated route: ${told}`);
  }
}

/** What passes through keeps its one token, whatever a `Connection` header says (attack 23). */
function requireTokenKept(request: RecordedRequest, conversations: readonly Conversation[]): void {
  const mark = /mark=(?<connection>\d+)\.(?<at>\d+)/.exec(request.target)?.groups;
  const sent = conversations[Number(mark?.connection)]?.pieces[Number(mark?.at)];
  if (sent === undefined || !('x-fuzz-mark' in request.headers)) return;
  const [token, ...more] = sent.headers.filter((line) => line.startsWith('Authorization:'));
  if (token === undefined || more.length > 0) return;
  if (`Authorization: ${request.headers.authorization}` !== token.trim()) {
    throw new Error(`a token was lost: ${request.target} ${JSON.stringify(request.rawHeaders)}`);
  }
}

/** Our own questions have no mark. */
function requireEachOnce(requests: readonly RecordedRequest[]): void {
  const seen = new Set<string>();
  for (const { method, target } of requests) {
    if (!target.includes('mark=')) continue;
    if (seen.has(`${method} ${target}`)) throw new Error(`it arrived twice: ${method} ${target}`);
    seen.add(`${method} ${target}`);
  }
}

async function requireAlive(app: TestApp): Promise<void> {
  const { status } = await app.call({ target: '/_2fa/health', signal: AbortSignal.timeout(60_000) });
  if (status !== 200) throw new Error(`the application is not well: ${status}`);
}
