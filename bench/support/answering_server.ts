/**
 * An upstream of one answer, as a process that can be pinned to a core: `node answering_server.ts`. Prints its port. The owner
 * of the access token `token_7` is `@user7:localhost`.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { page } from './rates.ts';

const WHOAMI = '/_matrix/client/v3/account/whoami';

const body = Buffer.from(page());
const server = createServer((request, response) => {
  request.resume();
  send(response, request.url === WHOAMI ? ownerOf(request.headers.authorization) : body);
});

function ownerOf(authorization = ''): Buffer {
  const number = authorization.slice(authorization.lastIndexOf('_') + 1);
  return Buffer.from(JSON.stringify({ user_id: `@user${number}:localhost`, device_id: `DEVICE${number}` }));
}

function send(response: ServerResponse, json: Buffer): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': json.length });
  response.end(json);
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
