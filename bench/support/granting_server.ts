/**
 * A homeserver that grants every login, as a process that can be pinned to a core: `tsx granting_server.ts`. Prints
 * its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface LoginBody {
  readonly identifier?: { readonly user?: string };
}

let granted = 0;
const server = createServer((request, response) => void grant(request, response));

async function grant(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = JSON.parse((await text(request)) || '{}') as LoginBody;
  granted += 1;
  const answer = JSON.stringify({
    user_id: body.identifier?.user,
    access_token: `syt_YmVuY2g_abcdefghijklmnop${granted}`,
    device_id: `DEVICE${granted}`,
    home_server: 'example.org',
  });
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(answer),
  });
  response.end(answer);
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
