/**
 * A small keep-alive load generator, run as a process of its own so that it can be pinned to a core:
 * `node load_generator.ts PORT CONNECTIONS SECONDS PATH METHOD [tls]`. Prints one line of JSON, a `LoadResult`.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What one run of the generator measured. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** CPU time of the generator itself, with its start: where it is near the time that has passed, it was the limit. */
  readonly ownCpuMs: number;
}

const HEADER_END = '\r\n\r\n';

async function main(args: readonly string[]): Promise<void> {
  const [port, connections, seconds, path, method, tls] = args;
  const end = performance.now() + Number(seconds) * 1000;
  const asked = { method: method ?? '', path: path ?? '', tls: tls === 'tls' };
  const result = await loadPort(Number(port), Number(connections), asked, () => performance.now() < end);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/**
 * Sends a request over and over on kept-alive connections.
 * @param goOn asked after each answer
 */
export async function loadPort(
  port: number,
  connections: number,
  { method, path, tls = false }: { readonly method: string; readonly path: string; readonly tls?: boolean },
  goOn: () => boolean,
): Promise<LoadResult> {
  const request = [
    `${method} ${path} HTTP/1.1`,
    'Host: matrix.example.org',
    'User-Agent: bench',
    'Accept: application/json',
    'Accept-Encoding: identity',
    ...(method === 'GET' ? [] : ['Content-Type: application/json', 'Content-Length: 2']),
    'Authorization: Bearer syt_YmVuY2g_abcdefghijklmnopqrst_0Qw3rT',
    method === 'GET' ? '\r\n' : '\r\n{}',
  ].join('\r\n');
  const latencies: number[] = [];
  let failures = 0;
  const begun = performance.now();

  const sockets = Array.from({ length: connections }, () => {
    const to = { port, host: '127.0.0.1', noDelay: true };
    const socket = tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    askAgain(socket, tls ? 'secureConnect' : 'connect', request, (status, ms) => {
      latencies.push(ms);
      if (status !== 200) failures++;
      return goOn();
    });
    socket.on('error', () => failures++);
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  const elapsed = performance.now() - begun;
  latencies.sort((one, other) => one - other);
  return {
    requests: latencies.length,
    requestsPerSecond: (latencies.length / elapsed) * 1000,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    failures,
    ownCpuMs: (({ user, system }) => (user + system) / 1000)(process.cpuUsage()),
  };
}

/** Sends the request again after each answer for as long as `onAnswer` says so. */
function askAgain(
  socket: Socket,
  ready: string,
  request: string,
  onAnswer: (status: number, ms: number) => boolean,
): void {
  let received = '';
  let sentAt = 0;
  const ask = (): void => {
    sentAt = performance.now();
    socket.write(request);
  };
  socket.on(ready, ask);
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (!isWhole(received)) return;
    const status = Number(received.slice(9, 12));
    received = '';
    if (onAnswer(status, performance.now() - sentAt)) ask();
    else socket.end();
  });
}

function isWhole(answer: string): boolean {
  const head = answer.indexOf(HEADER_END);
  if (head === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, head));
  if (length !== null) return answer.length === head + HEADER_END.length + Number(length[1]);
  return answer.endsWith('\r\n0\r\n\r\n');
}

if (process.argv[1]?.endsWith('load_generator.ts')) await main(process.argv.slice(2));
