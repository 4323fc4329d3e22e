/**
 * `npm run storm -- [--minutes N]`: `serve` before a stub homeserver that comes and goes, with guests, owners, thieves
 * who know the owners' passwords, vandals who leave requests at every point, and connections that are never finished.
 * One line a minute. Exit code 0 if the process lived, its memory stayed level, every owner was in within two tries,
 * no guest was turned away in fair weather, and nothing stood in the log that does not belong there.
 * With `--faults` everything breaks in turn, chosen by `--seed`, and an auditor looks at everything after each fault
 * (`faults/fault_storm.ts`); with `--postgres` on PostgreSQL.
 * With `--replicas` two processes on PostgreSQL behind HAProxy are killed in turn instead (`replica_storm.ts`).
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stormOfFaults } from './faults/run_fault_storm.ts';
import { guestLives, ownerLives, type Storm, thiefLives, vandalLives } from './people.ts';
import { stormOverReplicas } from './replicas_main.ts';
import { Scene } from './scene.ts';
import { Tally } from './tally.ts';
import { Weather } from './weather.ts';

const MINUTE = 60_000;
const MIB = 1024 * 1024;
const OWNERS = 12;
const GUESTS = 6;
const THIEVES = 4;
const VANDALS = 8;
const UNFINISHED = 300;
const UNFINISHED_BYTES = [
  'GET /_matrix/client/v3/sync HTTP/1.1\r\nHost: x\r\nX-Pad: ',
  `POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60001\r\n\r\n${'a'.repeat(60_000)}`,
];
/** More than it had after the first minute, in MiB: then memory is not level. */
const MEMORY_SLACK = 96;
/** A busy machine may take its time. */
const HEALTH_MS = 10_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    replicas: { type: 'boolean', default: false },
    faults: { type: 'boolean', default: false },
    postgres: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now()) },
  },
});
process.exitCode = await run(Number(values.minutes));

async function run(minutes: number): Promise<number> {
  if (!(minutes > 0)) {
    say('usage: npm run storm -- [--minutes N] [--replicas | --faults [--postgres] [--seed TEXT]]');
    return 2;
  }
  const { faults, postgres, seed } = values;
  if (faults) return stormOfFaults({ minutes, seed, postgres }, say);
  return values.replicas ? stormOverReplicas(minutes, say) : storm(minutes);
}

async function storm(minutes: number): Promise<number> {
  const over = new AbortController();
  const scene = await Scene.start(OWNERS, GUESTS);
  const around: Storm = { scene, weather: new Weather(scene.stub), tally: new Tally(), over: over.signal };
  const lives = [around.weather.run(over.signal), ...everybody(around)];
  const faults = await watch(around, minutes);
  over.abort();
  await Promise.race([Promise.allSettled(lives), pause(5_000)]);
  faults.push(...(await ending(scene)));
  faults.push(...around.tally.faults);
  say(faults.length === 0 ? 'the process lived, and everybody was served' : `${faults.length} faults:`);
  for (const fault of faults.slice(0, 20)) say(`- ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

function everybody(storm: Storm): Promise<void>[] {
  const many = (count: number, live: (number: number) => Promise<void>) =>
    Array.from({ length: count }, (_, number) => live(number));
  return [
    ...storm.scene.owners.map((owner, number) => ownerLives(storm, owner, number)),
    ...many(GUESTS, (number) => guestLives(storm, number)),
    ...many(THIEVES, () => thiefLives(storm)),
    ...many(VANDALS, () => vandalLives(storm)),
  ];
}

/** One line a minute; what was wrong besides what the tally holds. */
async function watch({ scene, tally }: Storm, minutes: number): Promise<string[]> {
  const faults: string[] = [];
  const begun = Date.now();
  const end = begun + minutes * MINUTE;
  let levelMib: number | undefined;
  let unfinished: Socket[] = [];
  while (Date.now() < end && scene.serve.child.exitCode === null) {
    for (const socket of unfinished) socket.destroy();
    unfinished = openUnfinished(scene.port);
    await pause(Math.min(MINUTE, end - Date.now()));
    const alive = await isAlive(scene);
    const residentMib = alive ? memoryOf(scene) : 0;
    tally.readLog(scene.serve.log);
    say(
      `${Math.round((Date.now() - begun) / 1000)} s: ${alive ? 'alive' : 'DEAD'}, ${residentMib} MiB; ${tally.text()}`,
    );
    if (!alive) faults.push('the process does not answer');
    levelMib ??= residentMib;
    if (residentMib > levelMib + MEMORY_SLACK)
      faults.push(`memory is not level: ${levelMib} MiB, then ${residentMib}`);
  }
  for (const socket of unfinished) socket.destroy();
  return faults;
}

function openUnfinished(port: number): Socket[] {
  return Array.from({ length: UNFINISHED }, (_, number) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(UNFINISHED_BYTES[number % 2] ?? ''));
    socket.on('error', () => undefined);
    return socket.resume();
  });
}

async function isAlive({ serve }: Scene): Promise<boolean> {
  try {
    return (await fetch(`${serve.url}/_2fa/health`, { signal: AbortSignal.timeout(HEALTH_MS) })).ok;
  } catch {
    return false;
  }
}

function memoryOf({ serve }: Scene): number {
  const status = readFileSync(`/proc/${serve.child.pid}/status`, 'utf8');
  return Math.round((Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / MIB);
}

/** SIGTERM: what went wrong with it. */
async function ending(scene: Scene): Promise<string[]> {
  try {
    await scene.end();
    return [];
  } catch (error) {
    return [String(error)];
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
