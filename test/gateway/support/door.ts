import { type AddressInfo, connect } from 'node:net';

import type { Handlers } from '../../../src/gateway/app.ts';
import { createFrontDoor, type DoorTimes, type FrontDoor } from '../../../src/gateway/front_door.ts';
import type { Answer } from '../../../src/http/answer.ts';
import type { ClientRequest } from '../../../src/http/client_request.ts';
import { ROUTES, type RouteId } from '../../../src/http/routes.ts';
import { silentLog } from '../../../src/system/log.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording_upstream.ts';

/** A front door with handlers that record, before a recording upstream. */
export interface TestDoor {
  readonly port: number;
  readonly upstream: RecordingUpstream;
  /** What the handlers were given. */
  readonly handled: { readonly id: RouteId; readonly request: ClientRequest }[];
  readonly door: FrontDoor;
  /** Replaces what the handlers answer, `{"ok": true}` otherwise. */
  answerWith(answer: (request: ClientRequest) => Promise<Answer>): void;
  close(): Promise<void>;
}

export interface TestDoorOptions {
  readonly trustedProxies?: readonly string[];
  readonly times?: DoorTimes;
  /** Where nothing listens, for a homeserver that is down. */
  readonly upstreamUrl?: URL;
}

export async function openTestDoor(options: TestDoorOptions = {}): Promise<TestDoor> {
  const upstream = await startRecordingUpstream();
  const handled: { id: RouteId; request: ClientRequest }[] = [];
  let answer = async (_request: ClientRequest): Promise<Answer> => ({ status: 200, body: { ok: true } });
  const handlers = Object.fromEntries(
    ROUTES.map(({ id }) => [
      id,
      (request: ClientRequest) => {
        handled.push({ id, request });
        return answer(request);
      },
    ]),
  ) as unknown as Handlers;
  const door = createFrontDoor({
    upstream: options.upstreamUrl ?? upstream.url,
    handlers,
    trustedProxies: () => options.trustedProxies ?? [],
    log: silentLog,
    ...(options.times === undefined ? {} : { times: options.times }),
  });
  await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
  return {
    port: (door.server.address() as AddressInfo).port,
    upstream,
    handled,
    door,
    answerWith: (replacement) => {
      answer = replacement;
    },
    close: async () => {
      await door.close(0);
      await upstream.close();
    },
  };
}

/**
 * Sends bytes as they are and resolves with everything that came back once the server has closed the connection,
 * or once `enough` says so.
 */
export function exchange(
  port: number,
  bytes: string | Buffer,
  enough: (received: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (enough(received)) socket.destroy();
    });
    socket.on('close', () => resolve(received));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
  });
}

/** A raw request that asks for the connection to be closed after it. */
export function rawRequest(line: string, headers: readonly string[] = [], body = ''): Buffer {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${line} HTTP/1.1`, 'Host: proxy.test', 'Connection: close', ...length, ...headers, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), Buffer.from(body)]);
}

/** Status, headers (lower-case names) and body of the first answer in `received`. */
export function parseAnswer(received: string): {
  status: number;
  headers: Map<string, string>;
  body: string;
} {
  const end = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = received.slice(end + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: headers.get('transfer-encoding') === 'chunked' ? withoutChunks(body) : body,
  };
}

/** A chunked body put together, its trailers left out. */
function withoutChunks(body: string): string {
  let whole = '';
  for (let at = 0; at < body.length; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.slice(at, lineEnd), 16);
    if (length === 0 || Number.isNaN(length)) break;
    whole += body.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 2 + length + 2;
  }
  return whole;
}
