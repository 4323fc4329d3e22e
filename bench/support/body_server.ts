/**
 * An upstream of large bodies, as a process that can be pinned to a core: `node body_server.ts [BYTES_PER_SECOND]`. Prints
 * its port. POST: reads the body and says how long it was. GET /bytes/N: sends so many. GET /wait: answers never.
 * With a rate it reads bodies no faster.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readSlowly } from './slow_reader.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const rate = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const length = await readSlowly(request, rate);
    response.end(JSON.stringify({ length }));
    return;
  }
  const [, bytes] = /^\/_matrix\/media\/bytes\/(\d+)$/.exec(request.url ?? '') ?? [];
  if (bytes === undefined) return;
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes });
  await pipeline(Readable.from(chunks(Number(bytes))), response);
}

function* chunks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    yield left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
  }
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
