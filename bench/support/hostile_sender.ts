/**
 * `hostile_sender.ts PORT KIND`: a client that means harm, until it is told to end. Prints a line once all of its
 * connections are there, and keeps their number up: what the proxy closes is opened again.
 */
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { newRecoveryCode, showRecoveryCode } from '../../src/factors/recovery/recovery_code.ts';
import { systemRandom } from '../../src/system/random.ts';

const LOGIN = '/_matrix/client/v3/login';
const KIB = 1024;

interface Attack {
  readonly connections: number;
  /** What a connection begins with. */
  readonly first: () => string | Buffer;
  /** What it sends on, so often. */
  readonly more?: { readonly bytes: () => string; readonly everyMs: number };
}

const post = (length: number, more = '') =>
  `POST ${LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`;
/** 10 KiB that become 10 MiB. */
const bomb = gzipSync(Buffer.alloc(10 * KIB * KIB, ' '));
const pipelined = `GET ${LOGIN} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(64);

/**
 * A recovery code that was never sent before, behind the right password and from an address of its own, so that no limit
 * on addresses stands before the look at it. The owner's codes have no tags (`hostile_load.ts`): each guess reaches the
 * slow hash, or the queue before it.
 */
function guess(): string {
  const code = showRecoveryCode(newRecoveryCode(systemRandom));
  const identifier = { type: 'm.id.user', user: 'owner0' };
  const body = JSON.stringify({ type: 'm.login.password', identifier, password: `correct horse ${code}` });
  const address = [10, ...systemRandom.bytes(3)].join('.');
  return post(body.length, `X-Forwarded-For: ${address}\r\n`) + body;
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'slow headers': {
    connections: 2_000,
    first: () => `GET ${LOGIN} HTTP/1.1\r\nHost: x\r\nX-Slow: `,
    more: { bytes: () => 'a', everyMs: 1_000 },
  },
  'slow bodies': {
    connections: 2_000,
    first: () => post(60_000),
    more: { bytes: () => 'a', everyMs: 1_000 },
  },
  'idle connections': { connections: 10_000, first: () => '' },
  'huge headers': {
    connections: 20,
    first: () => `GET ${LOGIN} HTTP/1.1\r\nHost: x\r\nX-Huge: ${'a'.repeat(1_024 * KIB)}`,
  },
  'compression bombs': {
    connections: 20,
    first: () => Buffer.concat([Buffer.from(post(bomb.length, 'Content-Encoding: gzip\r\n')), bomb]),
  },
  'recovery guesses': {
    connections: 8,
    first: guess,
    more: { bytes: guess, everyMs: 80 },
  },
  pipelining: { connections: 20, first: () => pipelined, more: { bytes: () => pipelined, everyMs: 250 } },
  'HTTP/2 preface': { connections: 20, first: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
};

/** A connection that is closed is opened again after so long. */
const AGAIN_MS = 100;

export const KINDS = Object.keys(ATTACKS);

function keepOpen(port: number, { first, more }: Attack): Promise<void> {
  return new Promise((opened) => {
    const open = (): void => {
      let timer: NodeJS.Timeout | undefined;
      const socket: Socket = connect(port, '127.0.0.1', () => {
        socket.write(first());
        if (more !== undefined) timer = setInterval(() => socket.write(more.bytes()), more.everyMs);
        opened();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(timer);
        setTimeout(open, AGAIN_MS);
      });
      socket.resume();
    };
    open();
  });
}

async function main(port: number, kind: string): Promise<void> {
  const attack = ATTACKS[kind];
  if (attack === undefined) throw new Error(`there is no ${kind}`);
  for (let begun = 0; begun < attack.connections; begun += 100) {
    const some = Math.min(100, attack.connections - begun);
    await Promise.all(Array.from({ length: some }, () => keepOpen(port, attack)));
  }
  process.stdout.write(`${attack.connections}\n`);
}

if (process.argv[1] === import.meta.filename) await main(Number(process.argv[2]), process.argv[3] ?? '');
