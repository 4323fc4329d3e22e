/**
 * What the whole program keeps in memory: with nothing to do, with 5,000 idle long polls, and while 1 GiB goes down to a
 * client, or up to a homeserver, that reads slowly.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadPort } from './support/load_generator.ts';
import { peakDuring, rssMib } from './support/memory.ts';
import { startPinned } from './support/pinned.ts';
import { install, type RunningProgram, startProgram } from './support/real_program.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';
import { readSlowly } from './support/slow_reader.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const POLLS = 5000;
/** Opened together: more at once would not fit into the queue of a listening socket. */
const POLLS_AT_ONCE = 250;
const GIB = 1024 ** 3;
const BYTES_PER_SECOND = 128 * 1024 * 1024;
const WARM_UP = 5000;
const SETTLE_MS = 2000;

/** Measures and prints. @param asked `seconds`: a shorter time than it takes makes the large bodies smaller, for a trial */
export async function run({ seconds = GIB / BYTES_PER_SECOND, report }: BenchRun): Promise<void> {
  const bytes = Math.min(GIB, Math.round(seconds * BYTES_PER_SECOND));
  const results: BenchResult[] = [
    ...(await withProgram([], idleAndPolls)),
    ...(await withProgram([], (program) => slowDownload(program, bytes))),
    ...(await withProgram([String(BYTES_PER_SECOND)], (program) => slowUpload(program, bytes))),
  ];
  printResults(results);
  report(results);
  console.log('goals: 150 MiB with 5,000 long polls; 40 MiB above idle with a slow reader');
}

async function withProgram(
  upstreamArgs: readonly string[],
  measure: (program: RunningProgram) => Promise<BenchResult[]>,
): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pass-memory-bench-'));
  const script = fileURLToPath(new URL('./support/body_server.ts', import.meta.url));
  const upstream = await startPinned(LOAD_CORE, script, upstreamArgs);
  const installation = { folder, homeserver: `http://127.0.0.1:${upstream.firstLine}` };
  install(installation);
  const program = await startProgram(PROXY_CORE, installation);
  try {
    await warmUp(program);
    return await measure(program);
  } finally {
    await program.stop();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process that has just started has not yet what it needs for any request. */
async function warmUp({ port }: RunningProgram): Promise<void> {
  let left = WARM_UP;
  const asked = { method: 'GET', path: '/_matrix/media/bytes/100' };
  await loadPort(port, 16, asked, () => left-- > 0);
  await pause(SETTLE_MS);
}

async function idleAndPolls({ pid, port }: RunningProgram): Promise<BenchResult[]> {
  const idle = rssMib(pid);
  const polls: Socket[] = [];
  let ended = 0;
  while (polls.length < POLLS) {
    const some = Array.from({ length: POLLS_AT_ONCE }, () => connect({ port, host: '127.0.0.1' }));
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    for (const socket of some) {
      socket.on('data', () => socket.destroy());
      socket.on('error', () => undefined).on('close', () => ended++);
      socket.write('GET /_matrix/client/v3/sync HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    polls.push(...some);
  }
  await pause(SETTLE_MS);
  if (ended > 0) throw new Error(`${ended} of ${POLLS} polls ended`);
  const polling = rssMib(pid);
  for (const socket of polls) socket.destroy();
  return [
    { name: 'idle', value: idle, unit: 'MiB', ratio_to: null },
    { name: `${POLLS} long polls`, value: polling, unit: 'MiB', ratio_to: 'idle' },
  ];
}

async function slowDownload({ pid, port }: RunningProgram, bytes: number): Promise<BenchResult[]> {
  const idle = rssMib(pid);
  const peak = await peakDuring(pid, async () => {
    const path = `/_matrix/media/bytes/${bytes}`;
    const sent = request({ port, host: '127.0.0.1', path }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const length = await readSlowly(answer, BYTES_PER_SECOND);
    if (length !== bytes) throw new Error(`${length} bytes of ${bytes} came`);
  });
  return [above('1 GiB down to a slow client', peak - idle)];
}

async function slowUpload({ pid, port }: RunningProgram, bytes: number): Promise<BenchResult[]> {
  const idle = rssMib(pid);
  const peak = await peakDuring(pid, async () => {
    const headers = { 'Content-Length': bytes };
    const sent = request({
      ...{ port, host: '127.0.0.1', path: '/_matrix/media/v3/upload', method: 'POST', headers },
    });
    const answered = once(sent, 'response');
    await pipeline(Readable.from(chunks(bytes)), sent);
    const [answer] = (await answered) as [IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`an upload was answered with ${answer.statusCode}`);
    answer.resume();
  });
  return [above('1 GiB up to a slow homeserver', peak - idle)];
}

function above(what: string, mib: number): BenchResult {
  return { name: `${what}, above idle`, value: mib, unit: 'MiB', ratio_to: null };
}

function* chunks(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let left = bytes; left > 0; left -= chunk.length) {
    yield left >= chunk.length ? chunk : chunk.subarray(0, left);
  }
}
