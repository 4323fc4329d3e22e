/** An upstream of one answer, as a process that can be pinned to a core: `node answering_server.ts`. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { page } from './rates.ts';

const body = Buffer.from(page());
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
