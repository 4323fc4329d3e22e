import { once } from 'node:events';

import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';

import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePort } from '../../tools/free_port.ts';
import { haproxyProgram, startHaproxy } from '../support/haproxy.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const SYNC = '/_matrix/client/v3/sync';
const VERSIONS = '/_matrix/client/versions';

let line: CommandLine;
let homeserver: Server;
/** Long polls that the homeserver has yet to answer. */
let polls: ServerResponse[];

beforeEach(async () => {
  polls = [];
  homeserver = createServer((asked, response) => {
    asked.resume();
    if (asked.url === SYNC) polls.push(response);
    else response.setHeader('Content-Type', 'application/json').end('{"versions":["v1.11"]}');
  });
  await new Promise<void>((resolve) => homeserver.listen(0, '127.0.0.1', resolve));
  const { port } = homeserver.address() as AddressInfo;
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', `http://127.0.0.1:${port}`);
});

afterEach(async () => {
  homeserver.closeAllConnections();
  await new Promise((resolve) => homeserver.close(resolve));
  line.remove();
});

/** `serve` on a port of its own, on the database that all of this test share. */
function start(port: number): Promise<ServeProcess> {
  line.changeConfig(/listen: 127\.0\.0\.1:\d+/, `listen: 127.0.0.1:${port}`);
  return ServeProcess.start(line.configFile);
}

async function get(
  url: string,
  agent: Agent,
): Promise<{ status: number | undefined; connection: string | undefined }> {
  const asked = request(url, { agent });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await text(response);
  return { status: response.statusCode, connection: response.headers.connection };
}

test('SIGTERM closes the listener at once, and leaves idle connections and requests under way time', async () => {
  const serve = await start(0);
  const agents = [1, 2, 3].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const [idle, polling, unused] = agents as [Agent, Agent, Agent];
  for (const agent of [idle, unused]) {
    expect(await get(`${serve.url}${VERSIONS}`, agent)).toEqual({ status: 200, connection: 'keep-alive' });
  }
  const poll = get(`${serve.url}${SYNC}`, polling);
  while (polls.length === 0) await delay(1);

  serve.child.kill('SIGTERM');
  while (!(await isRefused(serve.url))) await delay(1);

  expect(await get(`${serve.url}${VERSIONS}`, idle)).toEqual({ status: 200, connection: 'close' });
  polls[0]?.end('{}');
  expect(await poll).toEqual({ status: 200, connection: 'close' });
  expect(await serve.ended).toEqual({ code: 0, signal: null });
  for (const agent of agents) agent.destroy();
});

async function isRefused(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const refused = await Promise.race([
    once(socket, 'connect').then(() => false),
    once(socket, 'error').then(() => true),
  ]).catch(() => true);
  socket.destroy();
  return refused;
}

test('SIGTERM ends it while the homeserver does not answer at all', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  line.changeConfig(
    /http:\/\/127\.0\.0\.1:\d+" }/,
    `http://127.0.0.1:${(silent.address() as AddressInfo).port}" }`,
  );
  const serve = await start(0);
  serve.child.kill('SIGTERM');
  expect(await serve.ended).toEqual({ code: 0, signal: null });
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

/** Enough that each replica answers several at once, and few enough for a busy machine. */
const CLIENTS = 8;
const BETWEEN_MS = 5;

const haproxy = haproxyProgram();
const withHaproxy = haproxy === undefined ? test.skip : test;

withHaproxy('F-15: SIGTERM of one replica behind HAProxy: no request fails under load', async () => {
  const ports = [await freePort(), await freePort()] as const;
  const first = await start(ports[0]);
  const second = await start(ports[1]);
  const balancer = await startHaproxy(haproxy ?? '', ports);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const outcomes: string[] = [];
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      const outcome = await get(`${balancer.url}${VERSIONS}`, agent).then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      );
      outcomes.push(outcome);
      await delay(BETWEEN_MS);
    }
  });
  try {
    while (outcomes.length < 100) await delay(BETWEEN_MS);
    await first.stop();
    const before = outcomes.length;
    while (outcomes.length < before + 100) await delay(BETWEEN_MS);
  } finally {
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    await balancer.stop();
    await second.stop();
  }
  expect([...new Set(outcomes)]).toEqual(['200']);
});
