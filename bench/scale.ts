/**
 * Many accounts: how long a look-up takes, how long the program takes to start and what it keeps in memory, with a
 * thousand, a hundred thousand and a million users who have 2FA on. Then many pending sessions, of which a number is kept.
 * The databases are made through the store once, and kept in `.cache/bench-scale`.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOTP_STAGE } from '../src/factors/totp/totp_words.ts';
import { PASSWORD_STAGE } from '../src/matrix/wire.ts';
import { openStorage } from '../src/storage/open_storage.ts';
import { ask } from '../src/storage/statement.ts';
import type { Storage } from '../src/storage/storage.ts';
import { systemClock } from '../src/system/clock.ts';
import { systemRandom } from '../src/system/random.ts';
import { UiaEngine } from '../src/uia/engine.ts';
import { loadKeyRing } from '../src/vault/key_ring.ts';
import { SealingVault } from '../src/vault/sealing_vault.ts';
import { enrolThroughStore } from './support/enrolled_users.ts';
import { inTurns } from './support/in_turns.ts';
import { rssMib } from './support/memory.ts';
import { startPinned } from './support/pinned.ts';
import { median } from './support/rates.ts';
import { type Installation, install, keysOf, startProgram } from './support/real_program.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const ACCOUNTS = [1_000, 100_000, 1_000_000];
const PENDING = [10_000, 100_000];
/** The default of `uia.max_sessions`. */
const KEPT = 10_000;
const CACHE = resolve('.cache/bench-scale');
const AT_ONCE = 500;
const LOOK_UPS = 20_000;
const NOWHERE = 'http://127.0.0.1:1';
const PROXY_CORE = 0;
const HOMESERVER_CORE = 1;
const STARTS = 5;

/** Measures and prints. @param asked `rounds`: how many of the sizes, the smallest first */
export async function run({ rounds = ACCOUNTS.length, report }: BenchRun): Promise<void> {
  const results: BenchResult[] = [];
  const script = fileURLToPath(new URL('./support/answering_server.ts', import.meta.url));
  const homeserver = await startPinned(HOMESERVER_CORE, script, []);
  try {
    const url = `http://127.0.0.1:${homeserver.firstLine}`;
    for (const accounts of ACCOUNTS.slice(0, rounds)) results.push(...(await withAccounts(accounts, url)));
  } finally {
    await homeserver.stop();
  }
  for (const pending of PENDING.slice(0, rounds)) results.push(...(await withPending(pending)));
  printResults(results);
  report(results);
  console.log('goals: look-up 50 µs, start 1 s, memory the same');
}

async function withAccounts(accounts: number, homeserver: string): Promise<BenchResult[]> {
  const folder = await installationWith(accounts);
  const storage = await open(join(folder, '2fa.db'));
  const lookUp = await timeLookUps(storage, accounts);
  await storage.close();
  const starts: Start[] = [];
  for (let turn = 0; turn < STARTS; turn++) starts.push(await startOnce({ folder, homeserver }));
  const usual = (of: keyof Start) => median(starts.map((start) => start[of]));
  const figure = (what: string, value: number, unit: string): BenchResult => ({
    ...{ name: `${accounts} accounts, ${what}`, value, unit },
    ratio_to: accounts === ACCOUNTS[0] ? null : `${ACCOUNTS[0]} accounts, ${what}`,
  });
  return [
    figure('look-up', lookUp, 'µs'),
    figure('start', usual('ms'), 'ms'),
    figure('CPU time of a start', usual('cpuMs'), 'ms'),
    figure('memory', usual('mib'), 'MiB'),
  ];
}

/** What one start took, and what the program has in memory once it listens. */
interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly mib: number;
}

async function startOnce(installation: Installation): Promise<Start> {
  const program = await startProgram(PROXY_CORE, installation);
  const mib = rssMib(program.pid);
  await program.stop();
  return { ms: program.startMs, cpuMs: program.startCpuMs, mib };
}

/** Its folder; made elsewhere first, so that what was cut off is not taken for whole. */
async function installationWith(accounts: number): Promise<string> {
  const folder = join(CACHE, String(accounts));
  if (existsSync(folder)) return folder;
  console.log(`enrolling ${accounts} users, once`);
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  install({ folder: unfinished, homeserver: NOWHERE });
  const vault = new SealingVault(loadKeyRing(keysOf(unfinished)), systemRandom);
  const storage = await open(join(unfinished, '2fa.db'));
  await inTurns(accounts, AT_ONCE, async (index) => {
    await enrolThroughStore(storage, vault, userId(index));
  });
  await storage.close();
  renameSync(unfinished, folder);
  return folder;
}

function open(path: string): Promise<Storage> {
  return openStorage({ type: 'sqlite', path }, { clock: systemClock, random: systemRandom });
}

function userId(index: number): string {
  return `@user${index}:example.org`;
}

/** The median time of what every sign-in and every guarded request asks, in microseconds. */
async function timeLookUps(storage: Storage, accounts: number): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < LOOK_UPS; turn++) {
    // Far from each other, whatever the number is.
    const index = (turn * 7919) % accounts;
    const begun = process.hrtime.bigint();
    const owing = await storage.factors.owing(userId(index));
    times.push(Number(process.hrtime.bigint() - begun) / 1000);
    if (owing === undefined) throw new Error(`${userId(index)} was not found`);
  }
  return median(times.slice(LOOK_UPS / 10));
}

async function withPending(pending: number): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'scale-bench-'));
  install({ folder, homeserver: NOWHERE });
  const vault = new SealingVault(loadKeyRing(keysOf(folder)), systemRandom);
  const storage = await open(join(folder, '2fa.db'));
  try {
    const engine = new UiaEngine(
      { store: storage.sessions, vault, clock: systemClock, random: systemRandom },
      { lifetimeMs: 600_000, maxSessions: KEPT, failureLimit: 5 },
    );
    const begin = (index: number) =>
      engine.open(
        { target: 'POST /_matrix/client/v3/delete_devices', userId: userId(index), tokenHash: `t${index}` },
        { flows: [[TOTP_STAGE, PASSWORD_STAGE]], body: { devices: ['ABC'] } },
      );
    const first = await timeEach(AT_ONCE, begin);
    await inTurns(pending - 2 * AT_ONCE, AT_ONCE, (index) => begin(AT_ONCE + index));
    const last = await timeEach(AT_ONCE, (index) => begin(pending - AT_ONCE + index));
    const rss = rssMib(process.pid);
    const name = `${pending} pending sessions`;
    return [
      { name: `${name}, the first`, value: first, unit: 'µs each', ratio_to: null },
      { name: `${name}, the last`, value: last, unit: 'µs each', ratio_to: `${name}, the first` },
      { name: `${name}, kept`, value: await countKept(storage), unit: 'sessions', ratio_to: null },
      { name: `${name}, memory of the bench`, value: rss, unit: 'MiB', ratio_to: null },
    ];
  } finally {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One after the other. @returns the mean, in microseconds */
async function timeEach(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let index = 0; index < count; index++) await work(index);
  return ((performance.now() - begun) * 1000) / count;
}

async function countKept(storage: Storage): Promise<number> {
  const [row] = await storage.read(ask<{ readonly kept: number }>('SELECT count(*) AS kept FROM sessions'));
  return Number(row?.kept);
}
