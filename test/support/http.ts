import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isJsonObject, type Json, type JsonObject } from '../../src/matrix/wire.ts';

/** One request as a test wants it on the wire: nothing is added, nothing is normalised. */
export interface HttpCall {
  /** Default GET, or POST where there is a body. */
  readonly method?: string;
  /** The raw request target. */
  readonly target: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  readonly json?: Json;
  /** A body as it is; without a Content-Type unless `headers` has one. */
  readonly body?: Buffer | string;
  /** Names and values; a list sends the header more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  /** The JSON object in the body; empty if it is anything else. */
  readonly json: JsonObject;
}

/**
 * One HTTP/1.1 request on a connection of its own.
 *
 * @param url base URL of the server; only scheme, host and port count, and any certificate is taken
 * @throws Error if the connection fails or is cut
 */
export async function call(url: string, what: HttpCall): Promise<HttpAnswer> {
  const { protocol, hostname, port } = new URL(url);
  const body = bodyOf(what);
  const headers: OutgoingHttpHeaders = {
    ...(what.json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(what.token === undefined ? {} : { authorization: `Bearer ${what.token}` }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    ...mutable(what.headers),
  };
  return new Promise((resolve, reject) => {
    const outgoing = (protocol === 'https:' ? requestTls : request)({
      rejectUnauthorized: false,
      servername: 'matrix.example.org',
      host: hostname,
      port,
      method: what.method ?? (body === undefined ? 'GET' : 'POST'),
      path: what.target,
      headers,
      agent: false,
      ...(what.signal === undefined ? {} : { signal: what.signal }),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          rawHeaders: incoming.rawHeaders,
          bytes,
          text,
          json: objectIn(text),
        });
      });
    });
    outgoing.end(body);
  });
}

/** For the first byte of an answer: a busy machine may take its time, and a test that ends too early is wrong. */
const FIRST_BYTE_MS = 60_000;

/**
 * Writes `bytes` to a fresh connection and returns everything that came back until the server closed it,
 * or until nothing more came for `quietMs` milliseconds. For requests that no HTTP library would send.
 */
export async function rawExchange(url: string, bytes: string | Buffer, quietMs = 300): Promise<string> {
  const { protocol, hostname: host, port } = new URL(url);
  const where = { host, port: Number(port), servername: 'matrix.example.org', rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const write = (): boolean => socket.write(bytes);
    const socket = protocol === 'https:' ? connectTls(where, write) : connect(where, write);
    let received = '';
    socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      socket.setTimeout(quietMs);
      received += chunk.toString('latin1');
    });
    socket.once('error', (error) => (received === '' ? reject(error) : resolve(received)));
    socket.once('close', () => resolve(received));
  });
}

function bodyOf(what: HttpCall): Buffer | undefined {
  if (what.body !== undefined) return Buffer.from(what.body);
  return what.json === undefined ? undefined : Buffer.from(JSON.stringify(what.json));
}

function mutable(headers: HttpCall['headers'] = {}): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

function objectIn(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
