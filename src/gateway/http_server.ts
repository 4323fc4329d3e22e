import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { CORS_HEADERS } from '../http/send_answer.ts';
import { SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

const MAX_HEADER_BYTES = 16 * 1024;

/** One client waits for its sign-in page on an idle connection for more than a minute. */
const KEEP_ALIVE_TIME = 76 * SECOND;

/** Longer than the above, or a connection could be cut between two requests. */
const HEADERS_TIME = 80 * SECOND;

/** How often connections are looked through for heads that take too long. */
const HEAD_CHECKS = 10 * SECOND;

/** Our types are those of the oldest Node that we run on. */
interface NewerOptions extends ServerOptions {
  /**
   * Since 24.12: a request without a body has ended from the beginning, and has no events, which spares Node work
   * (https://nodejs.org/docs/latest-v24.x/api/http.html#httpcreateserveroptions-requestlistener). Older ones ignore it.
   */
  readonly optimizeEmptyRequests: boolean;
}

interface ServerParts {
  readonly admit: RequestListener;
  readonly admitWaiting: RequestListener;
  readonly log: Log;
  /** Until the head of a request has arrived; 80 seconds where it is left out. */
  readonly headMs: number | undefined;
}

/** A server that refuses what it cannot read as HTTP, and holds each connection for a time only. It does not listen yet. */
export function prepareServer({ admit, admitWaiting, log, headMs = HEADERS_TIME }: ServerParts): Server {
  const options: NewerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: Math.min(HEAD_CHECKS, headMs),
    optimizeEmptyRequests: true,
  };
  const server = createServer(options, admit);
  server.keepAliveTimeout = Math.min(KEEP_ALIVE_TIME, headMs);
  server.headersTimeout = headMs;
  // Uploads and long polls take their time; bodies have limits of their own.
  server.requestTimeout = 0;
  server.on('checkContinue', admitWaiting);
  server.on('checkExpectation', admit);
  server.on('connect', (_request, socket: Duplex) => refuseRaw(socket, 400));
  server.on('clientError', refuseMalformed);
  // Accepting a connection may fail, too, when the machine is out of descriptors or memory. The next one is accepted.
  server.on('error', (error) => {
    if (server.listening) log.error({ err: error }, 'A connection could not be accepted');
  });
  return server;
}

/** Bytes that Node could not read as a request (attacks 24 and 97). */
function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Duplex & { readonly bytesWritten?: number },
): void {
  // An answer may be under way on this connection: whatever we sent would be taken for a part of it.
  if (!socket.writable || (socket.bytesWritten ?? 0) > 0) {
    socket.destroy();
    return;
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') refuseRaw(socket, 431);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseRaw(socket, 408);
  else refuseRaw(socket, 400);
}

const REASONS = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
} as const;

/** Answers on a bare socket, and closes it. */
function refuseRaw(socket: Duplex, status: keyof typeof REASONS): void {
  const body = JSON.stringify({ errcode: 'M_UNRECOGNIZED', error: REASONS[status] });
  const headers = {
    ...CORS_HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('')}\r\n${body}`);
}
