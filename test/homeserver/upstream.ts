import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { HomeserverClient } from '../../src/homeserver/homeserver_client.ts';
import type { ClientAddress } from '../../src/http/client_request.ts';
import type { Json, JsonObject } from '../../src/matrix/wire.ts';
import { type Log, type LogFields, silentLog } from '../../src/system/log.ts';
import { type RandomSource, systemRandom } from '../../src/system/random.ts';

export const CLIENT: ClientAddress = { ip: '203.0.113.7', proto: 'https', host: 'matrix.example.org' };

/** A request as it reached the upstream. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case, in the order and number in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  /** The parsed body; undefined if there was none. */
  readonly json: JsonObject | undefined;
}

/** What the upstream answers: JSON, or whatever a test does with the response. */
export type Reply =
  | { readonly status: number; readonly json?: Json; readonly headers?: Readonly<Record<string, string>> }
  | ((response: ServerResponse, request: IncomingMessage) => void);

/** An HTTP server that records what it is asked and answers from a list, or by a function of the request. */
export class Upstream {
  readonly seen: SeenRequest[] = [];
  readonly connections = new Set<Socket>();
  connectionCount = 0;
  private readonly replies: Reply[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Upstream> {
    const server = createServer();
    const upstream = new Upstream(server);
    server.on('request', (request, response) => upstream.serve(request, response));
    server.on('connection', (socket) => {
      upstream.connectionCount += 1;
      upstream.connections.add(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Queues the answers of the next requests. */
  reply(...replies: Reply[]): void {
    this.replies.push(...replies);
  }

  async stop(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.record(request, Buffer.concat(chunks).toString());
      this.answer(request, response);
    });
  }

  private record(request: IncomingMessage, text: string): void {
    const { rawHeaders } = request;
    const headers = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as const] : [],
    );
    this.seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers,
      text,
      json: text === '' ? undefined : (JSON.parse(text) as JsonObject),
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const reply: Reply = this.replies.shift() ?? { status: 599, json: { errcode: 'TEST_NO_REPLY_LEFT' } };
    if (typeof reply === 'function') {
      reply(response, request);
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(JSON.stringify(reply.json ?? {}));
  }
}

/** Counts up, so that every draw differs and tests know what came. */
export function countingRandom(): RandomSource {
  let next = 0xa0;
  return { bytes: (count) => Buffer.alloc(count, next++) };
}

/** Keeps its lines for a look at what they tell. */
export function keepingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: LogFields, text: string) => void lines.push(`${JSON.stringify(fields)} ${text}`);
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } };
}

export interface Setting {
  readonly upstream: Upstream;
  readonly homeserver: HomeserverClient;
  readonly logLines: string[];
}

/** Runs a test between a fresh upstream and a client of it, and stops both. */
export async function withUpstream(
  run: (setting: Setting) => Promise<void>,
  timeouts: { connectTimeoutMs?: number; answerTimeoutMs?: number } = {},
): Promise<void> {
  const upstream = await Upstream.start();
  const { log, lines } = keepingLog();
  const homeserver = new HomeserverClient({ url: upstream.url, random: countingRandom(), log, ...timeouts });
  try {
    await run({ upstream, homeserver, logLines: lines });
  } finally {
    await homeserver.close();
    await upstream.stop();
  }
}

/** Runs a test against a server that does as it likes with its connections. */
export async function withTcpServer(
  onConnection: (socket: Socket) => void,
  run: (port: number) => Promise<void>,
  port = 0,
): Promise<void> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Runs a test with a client of a URL, and closes it. */
export async function withClient(
  options: { url: string; connectTimeoutMs?: number },
  run: (homeserver: HomeserverClient) => Promise<void>,
): Promise<void> {
  const homeserver = new HomeserverClient({ random: systemRandom, log: silentLog, ...options });
  try {
    await run(homeserver);
  } finally {
    await homeserver.close();
  }
}

/** The fields of a Refusal that a test compares. */
export function refusal(name: string, retryAfterMs?: number): object {
  return retryAfterMs === undefined ? { refusal: name } : { refusal: name, retryAfterMs };
}
