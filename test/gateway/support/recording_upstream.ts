import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it reached the homeserver's place. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** Stands where the homeserver would: records what arrives and answers `{}`, or as told. */
export interface RecordingUpstream {
  readonly url: URL;
  readonly seen: RecordedRequest[];
  /** Takes over the answers; a request that it answers is not recorded. */
  behave(behaviour: Behaviour | undefined): void;
  close(): Promise<void>;
}

export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const seen: RecordedRequest[] = [];
  let special: Behaviour | undefined;
  const server = createServer((request, response) => {
    if (special !== undefined) special(request, response);
    else record(request, response, seen);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    seen,
    behave: (behaviour) => {
      special = behaviour;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function record(request: IncomingMessage, response: ServerResponse, seen: RecordedRequest[]): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    seen.push({
      method: request.method ?? '',
      target: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks),
    });
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-From': 'homeserver' }).end('{}');
  });
}

/** Every value of a header in a raw list. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}
