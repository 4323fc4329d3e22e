import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that says its name and keeps the heads of what it was sent. */
export interface Recorder {
  readonly port: number;
  /** Since the last `clear`. */
  readonly requests: readonly { readonly target: string; readonly headers: IncomingMessage['headers'] }[];
  /** Resolves when the first bytes of a body have come. */
  untilBody(): Promise<void>;
  clear(): void;
  stop(): Promise<void>;
}

/** The first part of a slow answer. The rest comes with `/sync?…` only when the test says so by another request. */
export const FIRST_PART = '{"first":true,';

/** Answers `{"served_by": name, "bytes": …}`; a target that ends in `slow` gets only the beginning of an answer. */
export async function startRecorder(name: string): Promise<Recorder> {
  const requests: { target: string; headers: IncomingMessage['headers'] }[] = [];
  let told: () => void = () => undefined;
  const server = createServer((request, response) => {
    requests.push({ target: request.url ?? '', headers: request.headers });
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      told();
    });
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.endsWith('slow')) response.write(FIRST_PART);
      else response.end(JSON.stringify({ served_by: name, bytes }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    untilBody: () =>
      new Promise((resolve) => {
        told = resolve;
      }),
    clear: () => void requests.splice(0),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
