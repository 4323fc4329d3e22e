import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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
