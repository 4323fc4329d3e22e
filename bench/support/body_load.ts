/**
 * Sends or fetches bodies over and over, as a process that can be pinned to a core:
 * `node body_load.ts PORT up|down BYTES CONNECTIONS SECONDS`. Prints a `BodyLoad` as JSON.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface BodyLoad {
  readonly bytes: number;
  readonly seconds: number;
}

interface Way {
  readonly port: number;
  readonly direction: string;
  readonly bytes: number;
  readonly agent: Agent;
  readonly body: Buffer;
}

async function main([port, direction = '', bytes, connections, seconds]: readonly string[]): Promise<void> {
  const size = Number(bytes);
  const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
  const way: Way = { port: Number(port), direction, bytes: size, agent, body: Buffer.alloc(size, 'x') };
  const begun = performance.now();
  const end = begun + Number(seconds) * 1000;
  let done = 0;
  const goOn = async (): Promise<void> => {
    while (performance.now() < end) {
      await (direction === 'up' ? upload(way) : download(way));
      done += size;
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, goOn));
  agent.destroy();
  const result: BodyLoad = { bytes: done, seconds: (performance.now() - begun) / 1000 };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function upload({ port, agent, body }: Way): Promise<void> {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length };
  const path = '/_matrix/media/v3/upload';
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, method: 'POST', headers, agent }, resolve)
      .on('error', reject)
      .end(body);
  });
  const { length } = JSON.parse(await text(answer)) as { length: number };
  if (length !== body.length) throw new Error(`${length} bytes of ${body.length} arrived`);
}

async function download({ port, agent, bytes }: Way): Promise<void> {
  const path = `/_matrix/media/bytes/${bytes}`;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent }, resolve).on('error', reject).end();
  });
  let length = 0;
  for await (const chunk of answer) length += (chunk as Buffer).length;
  if (length !== bytes) throw new Error(`${length} bytes of ${bytes} came`);
}

await main(process.argv.slice(2));
