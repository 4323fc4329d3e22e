import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freePort } from '../../tools/free_port.ts';

/** So many that the kernel names one twice in nearly every run. */
const MANY = 1000;

test('no port is handed out twice', async () => {
  const ports: number[] = [];
  while (ports.length < MANY) ports.push(await freePort());
  expect(new Set(ports).size).toBe(MANY);
});

test('of ports that are asked for at once, none is the same', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, () => freePort()));
  expect(new Set(ports).size).toBe(100);
});

test('a port that is wanted and taken is refused', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await expect(freePort('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort('127.0.0.1', port)).toBe(port);
});
