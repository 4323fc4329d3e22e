import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTestDoor, type TestDoor } from '../gateway/support/door.ts';

const UPLOAD = '/_matrix/media/v3/upload';

/** An address at which nothing listens: connections are refused. */
async function nobody(): Promise<URL> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return new URL(`http://127.0.0.1:${port}`);
}

/** Begins an upload, and hangs up in the middle of it after `ms` milliseconds. */
async function hangUp(door: TestDoor, ms: number): Promise<void> {
  const socket = connect(door.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(`POST ${UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbegun`);
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, ms))]);
  socket.destroy();
}

// An error that no one hears reaches the process, and Jest then fails the test that runs.
test('attack 116: clients that hang up in an upload while the homeserver refuses connections', async () => {
  const door = await openTestDoor({ upstreamUrl: await nobody() });
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, ms) => hangUp(door, ms)));
  }
  const answer = await fetch(`http://127.0.0.1:${door.port}/_2fa/health`);
  expect(answer.status).toBe(200);
  await door.close();
});
