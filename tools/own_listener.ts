import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, isFree } from './free_port.ts';

/** A machine that is busy with other things may take this long to load a program. */
const STARTED_WITHIN_MS = 120_000;
const BETWEEN_LOOKS_MS = 25;
/** How long what an ended program wrote is waited for: a process below it may hold its output open. */
const LAST_WORDS_MS = 2000;

/**
 * Resolves once a program listens on a port of this machine: it, or a process that it started. That another program
 * answers there does not count, so a stranger is not taken for what was started.
 *
 * @param said what the program has written, for the message
 * @throws Error as soon as the program has ended
 */
export async function untilItListens(child: ChildProcess, port: number, said = () => ''): Promise<void> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  const lastWords = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve).once('close', () => resolve(undefined));
  });
  while (!(await isListener(child, port))) {
    if (hasEnded(child)) {
      const failure = await Promise.race([lastWords, delay(LAST_WORDS_MS, undefined, { ref: false })]);
      throw failure ?? new Error(`${nameOf(child)} ended with ${endOf(child)}: ${said()}`);
    }
    if (Date.now() > deadline) throw new Error(`${nameOf(child)} does not listen on ${port}: ${said()}`);
    await delay(BETWEEN_LOOKS_MS);
  }
}

/** Whether a child, or a process that it started, listens on a port. Where that cannot be seen: whether anyone does. */
export async function isListener(child: ChildProcess, port: number): Promise<boolean> {
  if (child.pid === undefined || hasEnded(child)) return false;
  const sockets = listeningSockets(port);
  if (sockets === undefined) return !(await isFree(port)) && !hasEnded(child);
  if (sockets.size === 0) return false;
  const open = [child.pid, ...descendants(child.pid)].map(socketsOf);
  // A process of another user, which not even root may look into everywhere (ptrace(2), CAP_SYS_PTRACE).
  if (open.includes(undefined)) return true;
  return open.some((each) => each?.some((socket) => sockets.has(socket)));
}

export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function nameOf(child: ChildProcess): string {
  return child.spawnfile.split('/').at(-1) ?? '';
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return `${signalCode ?? exitCode}`;
}

/** The sockets (their inodes, proc_net_tcp.rst of Linux) that listen on a port. Undefined: not Linux. */
function listeningSockets(port: number): ReadonlySet<string> | undefined {
  const texts = ['/proc/net/tcp', '/proc/net/tcp6'].map(textOf).filter((text) => text !== undefined);
  if (texts.length === 0) return undefined;
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  // Local address, remote address, state (0A is LISTEN), queues, timer, retransmits, user, timeout, inode.
  const line = new RegExp(`:${hexadecimal} [0-9A-F]+:0000 0A (?:\\S+ +){5}(\\d+)`, 'g');
  return new Set(texts.flatMap((text) => [...text.matchAll(line)].map(([, inode = '']) => inode)));
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Inodes of the sockets that a process has open; none if it has ended, undefined if it may not be looked into. */
function socketsOf(pid: number): readonly string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => socketAt(`/proc/${pid}/fd/${fd}`));
  } catch (error) {
    return hasCode(error, 'EACCES') ? undefined : [];
  }
}

function socketAt(path: string): readonly string[] {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(path)) ?? [];
    return inode === undefined ? [] : [inode];
  } catch (error) {
    if (hasCode(error, 'EACCES')) throw error;
    return [];
  }
}

/** Of nginx and HAProxy, a process below the one that was started may be the one that listens. */
function descendants(pid: number): readonly number[] {
  const children = (textOf(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}
