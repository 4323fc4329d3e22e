import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Above those that browsers and `fetch` refuse (https://fetch.spec.whatwg.org/#port-blocking). */
const FIRST = 11_000;
const LAST = 65_535;
/** Linux's own, where it cannot be read. */
const USUAL_EPHEMERAL = [32_768, 60_999] as const;
/** Where a lock is: all of 127.0.0.0/8 is this machine, and no program of the tests takes UDP on this address. */
const LOCK_ADDRESS = '127.0.0.2';
const TRIES = 1000;

/** A port that no other caller is given until it is released, or this process ends. */
export interface TakenPort {
  readonly port: number;
  release(): void;
}

/**
 * A TCP port of 127.0.0.1 for a server that cannot bind port 0 itself, or that must come back on the same port. Between
 * this answer and the server's own bind no other program takes it:
 *
 * - The kernel gives none of these to a program that binds port 0 or connects (ip(7), `ip_local_port_range`).
 * - Other callers, in this process or another one, are kept away by a lock: the UDP port of the same number on an address
 *   of its own. The kernel ends it with the process, so that nothing is left behind by a kill.
 */
export async function takePort(): Promise<TakenPort> {
  const [first, last] = handedOut();
  for (let tried = 0; tried < TRIES; tried++) {
    const port = randomInt(first, last + 1);
    const release = await lock(port);
    if (release === undefined) continue;
    if (await isFree(port)) return { port, release };
    release();
  }
  throw new Error(`no free port was found between ${first} and ${last}`);
}

/** As `takePort`, for as long as this process lives. */
export async function freePort(): Promise<number> {
  return (await takePort()).port;
}

/** Whether nothing listens on a port of 127.0.0.1 at this moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) return false;
    throw error;
  }
}

/** Of an error of Node itself, which is not an `Error` of the realm in which jest runs a test. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** The wider of the two sides of the ports that the kernel gives away itself. */
function handedOut(): readonly [number, number] {
  const [low, high] = ephemeral();
  const below = [FIRST, Math.min(low - 1, LAST)] as const;
  const above = [Math.max(high + 1, FIRST), LAST] as const;
  const wider = below[1] - below[0] > above[1] - above[0] ? below : above;
  // A machine that gives all of them away leaves no other choice.
  return wider[1] - wider[0] < TRIES ? [FIRST, LAST] : wider;
}

function ephemeral(): readonly [number, number] {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [low = USUAL_EPHEMERAL[0], high = USUAL_EPHEMERAL[1]] = text.trim().split(/\s+/).map(Number);
    return [low, high];
  } catch {
    return USUAL_EPHEMERAL;
  }
}

/** Undefined: another one has it. */
async function lock(port: number): Promise<(() => void) | undefined> {
  const socket = createSocket('udp4').unref();
  let isHeld = true;
  try {
    socket.bind({ port, address: LOCK_ADDRESS, exclusive: true });
    await once(socket, 'listening');
    return () => {
      if (isHeld) socket.close();
      isHeld = false;
    };
  } catch (error) {
    socket.close();
    // Other systems than Linux have that address only where someone added it: there, the bind of the port must do.
    if (hasCode(error, 'EADDRNOTAVAIL')) return () => undefined;
    if (hasCode(error, 'EADDRINUSE')) return undefined;
    throw error;
  }
}
