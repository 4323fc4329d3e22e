import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Connections } from '../../src/gateway/connections.ts';
import { exchange } from './support/door.ts';

let server: Server;
let connections: Connections;
let port: number;
/** The requests that were begun and are not answered. */
let begun: { readonly url: string; readonly response: ServerResponse }[];
let whenBegun: () => void;

beforeEach(async () => {
  begun = [];
  whenBegun = () => undefined;
  const admit = ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    begun.push({ url, response });
    whenBegun();
  };
  server = createServer((request, response) => connections.serve(request, response, admit));
  connections = new Connections(server, 100);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const requests = (from: number, to: number, more = '') =>
  Array.from(
    { length: to - from + 1 },
    (_, at) => `GET /${from + at} HTTP/1.1\r\nHost: x\r\n${more}\r\n`,
  ).join('');

/** Resolves once so many are begun and not answered. */
function untilBegun(many: number): Promise<void> {
  return new Promise((resolve) => {
    whenBegun = () => {
      if (begun.length >= many) resolve();
    };
    whenBegun();
  });
}

test('attack 97: of requests sent behind one another one is done at a time, in their order', async () => {
  const received = exchange(port, requests(1, 3) + requests(4, 4, 'Connection: close\r\n'));
  for (const url of ['/1', '/2', '/3', '/4']) {
    await untilBegun(1);
    expect(begun.map((each) => each.url)).toEqual([url]);
    begun.pop()?.response.end(url);
  }
  const text = await received;
  const places = ['/1', '/2', '/3', '/4'].map((url) => text.indexOf(`\r\n${url}`));
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});

test('attack 97: others are served meanwhile', async () => {
  const socket = connect(port, '127.0.0.1', () => socket.write(requests(1, 10)));
  await untilBegun(1);
  const received = exchange(port, requests(11, 11, 'Connection: close\r\n'));
  await untilBegun(2);
  expect(begun.map((each) => each.url)).toEqual(['/1', '/11']);
  begun[1]?.response.end('served');
  expect(await received).toContain('served');
  socket.destroy();
});

test('attack 97: whoever sends more than anyone needs at once is cut off, and nothing of it is done', async () => {
  const received = exchange(port, requests(1, 64));
  expect(await received).toBe('');
  expect(begun).toEqual([]);
});

test('attack 97: nothing more is done for whoever sends more than anyone needs later on', async () => {
  const socket = connect(port, '127.0.0.1', () => socket.write(requests(1, 1)));
  const closed = once(socket.resume(), 'close');
  await untilBegun(1);
  socket.write(requests(2, 64));
  await closed;
  expect(begun.map((each) => each.url)).toEqual(['/1']);
});

test('what was sent behind the last request that is answered on a connection is not begun', async () => {
  const received = exchange(port, requests(1, 2));
  await untilBegun(1);
  begun.pop()?.response.setHeader('Connection', 'close').end('last');
  expect(await received).toContain('last');
  expect(begun).toEqual([]);
});

/** Clients in a thread of their own: they connect at the word of the test, and say what came back. */
const CLIENTS = 5;
const CLIENTS_THREAD = `
  const { connect } = require('node:net');
  const { parentPort, workerData: { port, connected } } = require('node:worker_threads');
  parentPort.once('message', () => {
    for (let n = 0; n < connected.length; n += 1) {
      let received = '';
      const say = () => parentPort.postMessage(received);
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('GET /' + n + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
        Atomics.store(connected, n, 1);
        Atomics.notify(connected, n);
      });
      socket.on('data', (data) => (received += data)).on('error', say).on('end', say);
    }
  });
`;

test('F-15: connections that the kernel has taken, and Node has not yet, are served at the end', async () => {
  const connected = new Int32Array(new SharedArrayBuffer(CLIENTS * Int32Array.BYTES_PER_ELEMENT));
  const clients = new Worker(CLIENTS_THREAD, { eval: true, workerData: { port, connected } });
  try {
    await once(clients, 'online');
    const answers: string[] = [];
    const said = new Promise<void>((resolve) => {
      clients.on('message', (received: string) => {
        answers.push(received);
        if (answers.length === CLIENTS) resolve();
      });
    });
    clients.postMessage('connect');
    // Meanwhile this thread does not accept, as on a machine that is busy.
    for (let n = 0; n < CLIENTS; n += 1) Atomics.wait(connected, n, 0);
    const ended = connections.end(60_000);
    await Promise.race([untilBegun(CLIENTS), said]);
    for (const { response } of begun) response.end('served');
    await said;
    expect(answers.filter((answer) => answer.includes('served'))).toHaveLength(CLIENTS);
    await ended;
  } finally {
    await clients.terminate();
  }
});
