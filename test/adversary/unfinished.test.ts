import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Connections } from '../../src/gateway/connections.ts';
import { BodyBudget } from '../../src/http/body.ts';
import type { CommandLine } from '../cli/command_line.ts';
import { Initialised } from '../cli/initialised.ts';
import { openTestDoor, type TestDoor } from '../gateway/support/door.ts';
import { ServeProcess } from '../support/serve_process.ts';

const MIB = 1024 * 1024;
const LOGIN = '/_matrix/client/v3/login';
const UPLOAD = '/_matrix/media/v3/upload';

/** Begins of requests that are never finished. */
const HEAD = `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nX-Pad: ${'a'.repeat(8000)}`;
const post = (target: string, sent: number) =>
  `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 60001\r\n\r\n${'a'.repeat(sent)}`;

/** Opens `count` connections that all send the same; resolves once it is sent. */
async function flood(port: number, count: number, bytes: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => resolve()));
      socket.on('error', () => resolve());
      socket.resume();
      sockets.push(socket);
    });
  for (let begun = 0; begun < count; begun += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - begun) }, one));
  }
  return sockets;
}

function endAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

function closed(sockets: readonly Socket[]): Promise<unknown> {
  return Promise.all(
    sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))),
  );
}

let installed: Initialised;
let line: CommandLine;

beforeEach(async () => {
  installed = await Initialised.make();
  ({ line } = installed);
});

afterEach(() => installed.remove());

function residentBytes({ child }: ServeProcess): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

test('attack 123: 3,000 unfinished heads and 3,000 bodies of 60 KB: memory is bounded, others are served', async () => {
  const serve = await ServeProcess.start(line.configFile);
  const port = Number(new URL(serve.url).port);
  await fetch(`${serve.url}/_2fa/health`);
  const before = residentBytes(serve);
  const sockets: Socket[] = [];
  try {
    sockets.push(...(await flood(port, 3000, post(LOGIN, 60_000))));
    sockets.push(...(await flood(port, 3000, HEAD)));
    const health = await fetch(`${serve.url}/_2fa/health`);
    expect(health.status).toBe(200);
    // The body of a user who means it is read, however many there are.
    const login = await fetch(serve.url + LOGIN, { method: 'POST', body: '{"type":"m.login.password"}' });
    expect(login.status).not.toBe(408);
    // The bodies alone are 172 MiB.
    expect((residentBytes(serve) - before) / MIB).toBeLessThan(230);
  } finally {
    endAll(sockets);
    await serve.stop();
  }
});

const SHORT = { headMs: 400, bodyMs: 400, uploadSilenceMs: 400 };

test.each([
  ['no byte', ''],
  ['an unfinished head', HEAD],
  ['a gated body of no byte', post(LOGIN, 0)],
  ['an unfinished gated body', post(LOGIN, 60_000)],
  ['an unfinished form', post('/_2fa/login', 60_000)],
  ['an unfinished upload', post(UPLOAD, 60_000)],
])('attack 123: connections with %s are closed by time limits', async (_what, bytes) => {
  const door: TestDoor = await openTestDoor({ times: SHORT });
  // An upload that is taken, and never answered before its end.
  const sockets = await flood(door.port, 300, bytes);
  await closed(sockets);
  await door.close();
});

test('attack 123: the oldest body is given up when all together are too large', () => {
  const givenUp: string[] = [];
  const budget = new BodyBudget(100 * 1024);
  const [first, second, third] = ['first', 'second', 'third'].map((name) =>
    budget.begin(() => givenUp.push(name)),
  );
  second?.add(40 * 1024);
  expect(givenUp).toEqual([]);
  third?.add(20 * 1024);
  expect(givenUp).toEqual(['first']);
  // What has ended counts no more.
  first?.add(100 * 1024);
  second?.end();
  third?.add(60 * 1024);
  expect(givenUp).toEqual(['first']);
  third?.add(60 * 1024);
  expect(givenUp).toEqual(['first', 'third']);
});

test('attack 123: beyond the bound the connection that waits longest is closed, none that is served', async () => {
  let answer: (() => void) | undefined;
  const server = createServer((request, response) => {
    connections.serve(request, response, () => {
      answer = () => response.end();
    });
  });
  const connections = new Connections(server, 2);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const [served] = await flood(port, 1, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [second] = await flood(port, 1, 'GET');
  const [third, fourth] = await flood(port, 2, 'GET');
  await closed(second ? [second] : []);
  answer?.();
  // Answered, it waits as well: for longer than no other.
  await closed(third ? [third] : []);
  expect([served?.closed, fourth?.closed]).toEqual([false, false]);
  server.closeAllConnections();
  server.close();
});
