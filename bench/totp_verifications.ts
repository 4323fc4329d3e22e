/**
 * TOTP verifications over HTTP with durable writes, on one core: ours on SQLite at one connection and at 32, on PostgreSQL,
 * and, doing the same in the same run, better-auth from npm. Then how long they take at 200 a second while requests are
 * passed on, and what that does to those.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OwnPostgres } from '../test/support/own_postgres.ts';
import { postgresPrograms } from '../test/support/postgres.ts';
import { type PinnedProcess, runPinned, startPinned } from './support/pinned.ts';
import type { ListedRequest, ListResult } from './support/request_list.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const MOST_AT_ONCE = 32;
const SECONDS = 10;
/** Every code can be sent once: so many users for each second, more than are judged. Where the list runs out, the rate is that until then. */
const OURS_PER_SECOND = 600;
const THEIRS_PER_SECOND = 300;
const PACED_PER_SECOND = 200;
const PASSED_PER_SECOND = 500;
const PACED_CONNECTIONS = 64;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const MODULES = resolve('.cache/bench-better-auth');

/** Measures and prints. */
export async function run({ seconds = SECONDS, report }: BenchRun): Promise<void> {
  const upstream = await startPinned(LOAD_CORE, support('answering_server.ts'), []);
  const results: BenchResult[] = [];
  try {
    results.push(...(await everyRate(seconds, homeserverAt(upstream))));
    results.push(...(await whilePassing(seconds, homeserverAt(upstream))));
  } finally {
    await upstream.stop();
  }
  printResults(results);
  report(results);
  console.log('goals: 3 times the rate of one connection at 32; 10 times that of better-auth;');
  console.log('p99 below 20 ms at 200 a second, and at most twice the p99 of what is passed on');
}

async function everyRate(seconds: number, homeserver: string): Promise<BenchResult[]> {
  const ours = (atOnce: number, more: readonly string[] = []) =>
    measure('our_totp_server.ts', {
      ...{ atOnce, seconds, users: OURS_PER_SECOND * seconds, more: [homeserver, ...more] },
    });
  const one = 'ours, SQLite, 1 connection';
  const many = `ours, SQLite, ${MOST_AT_ONCE} connections`;
  return [
    ...figures(one, await ours(1), null),
    ...figures(many, await ours(MOST_AT_ONCE), one),
    ...(await onPostgres((url) => ours(MOST_AT_ONCE, [url]), many)),
    ...(await theirs(seconds, many)),
  ];
}

function homeserverAt({ firstLine }: PinnedProcess): string {
  return `http://127.0.0.1:${firstLine}`;
}

interface ListLoad {
  readonly atOnce: number;
  readonly seconds: number;
  readonly users: number;
  /** Further arguments of the server. */
  readonly more: readonly string[];
}

async function measure(server: string, { atOnce, seconds, users, more }: ListLoad): Promise<ListResult> {
  return withServer(server, [String(Math.ceil(users)), ...more], async (running, folder) => {
    const load = [running.firstLine, String(atOnce), String(seconds), join(folder, 'requests.json')];
    return JSON.parse(await runPinned(LOAD_CORE, support('request_list_sender.ts'), load)) as ListResult;
  });
}

async function withServer<T>(
  server: string,
  args: readonly string[],
  work: (running: PinnedProcess, folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'totp-bench-'));
  try {
    const running = await startPinned(SERVER_CORE, support(server), [folder, ...args]);
    try {
      return await work(running, folder);
    } finally {
      await running.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onPostgres(
  load: (url: string) => Promise<ListResult>,
  ratioTo: string,
): Promise<BenchResult[]> {
  const programs = postgresPrograms();
  if (programs === undefined) return [];
  process.env.M2FA_TEST_RUN ??= String(process.pid);
  const server = await OwnPostgres.start(programs);
  try {
    return figures(`ours, PostgreSQL, ${MOST_AT_ONCE} connections`, await load(server.url), ratioTo);
  } finally {
    await server.remove();
  }
}

async function theirs(seconds: number, ratioTo: string): Promise<BenchResult[]> {
  if (!installBetterAuth()) {
    console.log('better-auth: left out, npm could not install it');
    return [];
  }
  const result = await measure('better_auth_totp_server.ts', {
    ...{ atOnce: MOST_AT_ONCE, seconds, users: THEIRS_PER_SECOND * seconds, more: [MODULES] },
  });
  return figures(`better-auth, SQLite, ${MOST_AT_ONCE} connections`, result, ratioTo);
}

function figures(name: string, result: ListResult, ratioTo: string | null): BenchResult[] {
  const { perSecond, p50Ms, ownShare, wrong, counted } = result;
  if (wrong > 0) throw new Error(`${name}: ${wrong} codes were not accepted, beside ${counted}`);
  return [
    { name, value: perSecond, unit: 'codes/s', ratio_to: ratioTo },
    { name: `${name}: p50`, value: p50Ms, unit: 'ms', ratio_to: null },
    { name: `${name}: share of a core of the sender`, value: ownShare, unit: 'ratio', ratio_to: null },
  ];
}

/** Both at a pace of their own: passed requests alone, then together with codes. */
async function whilePassing(seconds: number, homeserver: string): Promise<BenchResult[]> {
  const args = [String(Math.ceil(PACED_PER_SECOND * seconds)), homeserver];
  return withServer('our_totp_server.ts', args, async (running, folder) => {
    const passed = join(folder, 'passed.json');
    writeFileSync(passed, JSON.stringify(passedRequests(PASSED_PER_SECOND * seconds)));
    const paced = (list: string, rate: number) => sendPaced(running, list, rate, seconds);
    await paced(passed, PASSED_PER_SECOND);
    const alone = await paced(passed, PASSED_PER_SECOND);
    const [beside, codes] = await Promise.all([
      paced(passed, PASSED_PER_SECOND),
      paced(join(folder, 'requests.json'), PACED_PER_SECOND),
    ]);
    const name = 'passed on, 500/s, p99';
    return [
      { name, value: alone.p99Ms, unit: 'ms', ratio_to: null },
      { name: `${name}, beside 200 codes/s`, value: beside.p99Ms, unit: 'ms', ratio_to: name },
      { name: 'codes, 200/s, p99, beside 500 passed on', value: codes.p99Ms, unit: 'ms', ratio_to: null },
      { name: 'codes, 200/s: not accepted', value: codes.wrong, unit: 'codes', ratio_to: null },
    ];
  });
}

async function sendPaced(
  { firstLine }: PinnedProcess,
  list: string,
  rate: number,
  seconds: number,
): Promise<ListResult> {
  const args = [firstLine, String(PACED_CONNECTIONS), String(seconds), list, String(rate)];
  return JSON.parse(await runPinned(LOAD_CORE, support('request_list_sender.ts'), args)) as ListResult;
}

function passedRequests(count: number): ListedRequest[] {
  const one: ListedRequest = {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/context',
    headers: { Authorization: 'Bearer syt_YmVuY2g_abcdefghijklmnopqrst_0Qw3rT' },
    body: '',
    status: 200,
    contains: 'chunk',
  };
  return Array.from({ length: count }, () => one);
}

/** Into a folder of its own: it is not one of our dependencies. */
function installBetterAuth(): boolean {
  if (existsSync(join(MODULES, 'node_modules/better-auth'))) return true;
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(join(MODULES, 'package.json'), '{ "private": true }');
  return spawnSync('npm', ['install', '--silent', 'better-auth@1'], { cwd: MODULES }).status === 0;
}

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}
