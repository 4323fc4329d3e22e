import { createServer } from 'node:net';

/** The kernel names a port again as soon as it is closed, and none of these may be open yet. */
const handedOut = new Set<number>();

/**
 * A TCP port that is free at this moment, and that this process was not given before. Another process may take it before
 * it is used, so a caller that can bind port 0 itself should do that instead.
 *
 * @param wanted the port that must be free; 0 is any
 * @throws Error with the code EADDRINUSE if the wanted one is taken
 */
export async function freePort(host = '127.0.0.1', wanted = 0): Promise<number> {
  for (;;) {
    const port = await openedPort(host, wanted);
    if (port === wanted) return port;
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
}

function openedPort(host: string, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(wanted, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
