/**
 * The least that a proxy with undici can be, as a process that can be pinned to a core: `node bare_proxy.ts UPSTREAM`.
 * Prints its port. What ours takes more than this is ours.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2] ?? '', { connect: { noDelay: true } });
const server = createServer((request, response) => {
  const { connection: _hop, 'transfer-encoding': chunked, ...headers } = request.headers;
  const hasBody = chunked !== undefined || headers['content-length'] !== undefined;
  pool.stream(
    {
      path: request.url ?? '',
      method: (request.method ?? 'GET') as 'GET',
      headers,
      body: hasBody ? request : null,
    },
    ({ statusCode, headers: { connection: _own, 'keep-alive': _time, ...answered } }) => {
      response.writeHead(statusCode, answered);
      return response;
    },
    (error) => {
      if (error !== null) response.destroy();
    },
  );
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
