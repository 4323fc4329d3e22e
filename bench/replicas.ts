/**
 * Sign-ins with a TOTP code by one process and by two on one PostgreSQL, before a homeserver that grants at once: how many
 * a second, and the CPU time of each part, which says what limits them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOTP_STAGE } from '../src/factors/totp/totp_words.ts';
import { PASSWORD_STAGE } from '../src/matrix/wire.ts';
import { openStorage } from '../src/storage/open_storage.ts';
import { systemClock } from '../src/system/clock.ts';
import { systemRandom } from '../src/system/random.ts';
import { loadKeyRing } from '../src/vault/key_ring.ts';
import { SealingVault } from '../src/vault/sealing_vault.ts';
import { codeNow } from '../test/support/enrolment.ts';
import { OwnPostgres } from '../test/support/own_postgres.ts';
import { postgresPrograms } from '../test/support/postgres.ts';
import { cpuMs } from './support/cpu_time.ts';
import { enrolThroughStore } from './support/enrolled_users.ts';
import { inTurns } from './support/in_turns.ts';
import { postGrantedLogin, postLogin } from './support/login_requests.ts';
import { startPinned } from './support/pinned.ts';
import { install, keysOf, type RunningProgram, startProgram } from './support/real_program.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const FIRST_CORE = 0;
const SECOND_CORE = 1;
const AT_ONCE = 16;
/** As many as the pool has connections. */
const ENROLLED_AT_ONCE = 8;
const PASSWORD = 'correct horse battery staple';
/** For each process, before anything is counted. */
const WARM_UP = 100;

interface User {
  readonly userId: string;
  readonly seed: Buffer;
}

/** Measures and prints, or says what is missing. @param asked `rounds`: hundreds of sign-ins that each way counts */
export async function run({ rounds = 6, report }: BenchRun): Promise<void> {
  const programs = postgresPrograms();
  if (programs === undefined) return;
  // Servers of tests end with the run that they are named after.
  process.env.M2FA_TEST_RUN ??= String(process.pid);
  const database = await OwnPostgres.start(programs);
  const folder = mkdtempSync(join(tmpdir(), 'replicas-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const script = fileURLToPath(new URL('./support/granting_server.ts', import.meta.url));
    const homeserver = await startPinned(SECOND_CORE, script, []);
    running.push(homeserver);
    const storage = `{ type: postgres, url: "${database.url}", tls: disable }`;
    const installation = { folder, homeserver: `http://127.0.0.1:${homeserver.firstLine}`, storage };
    install(installation);
    const counted = 100 * rounds;
    const users = await enrolAll(folder, database.url, 2 * (counted + WARM_UP));
    const first = await startProgram(FIRST_CORE, installation);
    const second = await startProgram(SECOND_CORE, installation);
    running.push(first, second);
    const next = users.values();
    await signIns([first, second], take(next, 2 * WARM_UP));
    const results = [
      ...(await measure([first], take(next, counted))),
      ...(await measure([first, second], take(next, counted))),
    ];
    printResults(results);
    report(results);
    console.log('goal: 1.7 times the rate with a core for each; here all parts share those that there are');
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    await database.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function take<T>(values: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => values.next().value as T);
}

async function enrolAll(folder: string, url: string, count: number): Promise<User[]> {
  const vault = new SealingVault(loadKeyRing(keysOf(folder)), systemRandom);
  const settings = { type: 'postgres', url, tls: 'disable', pool: ENROLLED_AT_ONCE } as const;
  const storage = await openStorage(settings, { clock: systemClock, random: systemRandom });
  try {
    return await inTurns(count, ENROLLED_AT_ONCE, async (index) => {
      const userId = `@user${index}:example.org`;
      return { userId, seed: await enrolThroughStore(storage, vault, userId) };
    });
  } finally {
    await storage.close();
  }
}

async function measure(programs: readonly RunningProgram[], users: readonly User[]): Promise<BenchResult[]> {
  const own = () => programs.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const before = own();
  const begun = performance.now();
  await signIns(programs, users);
  const seconds = (performance.now() - begun) / 1000;
  const name = (processes: number) => `${processes} processes`;
  const ratioTo = (what: string) => (programs.length === 1 ? null : `${name(1)}: ${what}`);
  const figure = (what: string, value: number, unit: string): BenchResult => ({
    ...{ name: `${name(programs.length)}: ${what}`, value, unit },
    ratio_to: ratioTo(what),
  });
  const ownMs = own() - before;
  return [
    figure('sign-ins', users.length / seconds, 'sign-ins/s'),
    figure('our CPU a sign-in', ownMs / users.length, 'ms'),
    figure('our share of a core', ownMs / 1000 / seconds, 'ratio'),
  ];
}

/** Each at the process whose turn it is; challenge and code at different ones, as behind a web server. */
async function signIns(programs: readonly RunningProgram[], users: readonly User[]): Promise<void> {
  const urlOf = (turn: number) => programs[turn % programs.length]?.url ?? '';
  await inTurns(users.length, AT_ONCE, async (index) => {
    const { userId, seed } = users[index] as User;
    const credentials = {
      ...{ type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user: userId }, password: PASSWORD },
    };
    const { session = null } = await postLogin(urlOf(index), credentials);
    await postGrantedLogin(urlOf(index + 1), {
      auth: { type: TOTP_STAGE, session, token: codeNow(seed) },
    });
  });
}
