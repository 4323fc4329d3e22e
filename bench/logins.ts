/**
 * What a second factor adds to a login: 2FA logins through us beside plain logins at the same real Synapse, by
 * turns. CPU time is what the kernel charged to each process, all threads.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { TOTP_STAGE } from '../src/factors/totp/totp_words.ts';
import { type JsonObject, PASSWORD_STAGE, RECOVERY_STAGE } from '../src/matrix/wire.ts';
import { codeNow } from '../test/support/enrolment.ts';
import { ensureSynapse } from '../tools/synapse/install.ts';
import { type SynapseServer, startSynapse } from '../tools/synapse/server.ts';
import { cpuMs } from './support/cpu_time.ts';
import type { BenchUser } from './support/login_server.ts';
import { startPinned } from './support/pinned.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const USERS = 45;
/** How many sign in at once, in turns: a quiet server, and a busy one. Each user of the bench signs in in one of them. */
const AT_ONCE = [1, 15];
/** Sign-ins before anything is counted, at accounts whose password hash is cheap: V8 compiles what is used often. */
const WARM_USERS = 1200;
const PASSWORD = 'correct horse battery staple';
const LOGIN = '/_matrix/client/v3/login';

/** Milliseconds of CPU time that one login of a kind took. */
interface LoginCost {
  homeserverMs: number;
  ownMs: number;
  homeserverLogins: number;
}

/**
 * Measures and prints.
 * @param asked `rounds`: how many users sign in one after the other; twice as many sign in together
 */
export async function run({ rounds = USERS / 3, report }: BenchRun): Promise<void> {
  const environment = await ensureSynapse({ directory: resolve('.cache/synapse') });
  const folder = mkdtempSync(join(tmpdir(), 'login-bench-'));
  const directory = join(folder, 'synapse');
  const cheap = await startSynapse({ environment, directory, extraConfig: { bcrypt_rounds: 4 } });
  const warmIds = await register(cheap, 'warm', WARM_USERS);
  await cheap.stop();
  const synapse = await startSynapse({
    environment,
    directory,
    logLevel: 'INFO',
    // Its own default; the tests make it cheaper.
    extraConfig: { bcrypt_rounds: 12 },
  });
  try {
    const ids = await register(synapse, 'user', 3 * rounds);
    const proxy = await startPinned(1, support('login_server.ts'), [folder, synapse.url, ...warmIds, ...ids]);
    try {
      const users = JSON.parse(readFileSync(join(folder, 'enrolled.json'), 'utf8')) as BenchUser[];
      const ourUrl = `http://127.0.0.1:${proxy.firstLine}`;
      for (const user of users.slice(0, WARM_USERS)) await totpLogin(ourUrl, user);
      const watched = { homeserver: synapse.pid(), own: proxy.pid, log: synapse.logFile };
      const results = await compare(users.slice(WARM_USERS), synapse.url, ourUrl, watched);
      printResults(results);
      report(results);
      console.log(
        'goals: one homeserver login each; at most 0.01 of a plain login for TOTP, 0.06 for a recovery code',
      );
    } finally {
      await proxy.stop();
    }
  } finally {
    await synapse.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function register(synapse: SynapseServer, prefix: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    ids.push(await synapse.registerUser(`${prefix}${index}`, PASSWORD));
  }
  return ids;
}

/** @param steps 1: the code of the next step, for who has used that of now */
async function totpLogin(url: string, user: BenchUser, steps: 0 | 1 = 0): Promise<void> {
  await login(url, user, TOTP_STAGE, codeNow(Buffer.from(user.seed, 'hex'), steps));
}

interface Watched {
  readonly homeserver: number;
  readonly own: number;
  readonly log: string;
}

async function compare(
  users: readonly BenchUser[],
  homeserverUrl: string,
  ourUrl: string,
  watched: Watched,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  const share = Math.floor(users.length / (AT_ONCE.length + 1));
  let next = 0;
  for (const atOnce of AT_ONCE) {
    const count = atOnce === 1 ? share : share * 2;
    const some = users.slice(next, next + count);
    next += count;
    const costs = { plain: zero(), totp: zero(), recovery: zero() };
    for (let at = 0; at < some.length; at += atOnce) {
      const together = some.slice(at, at + atOnce);
      // Uncounted: from then on their network is one that they are known from, as of most who sign in.
      await all(together, (user) => totpLogin(ourUrl, user));
      await charge(costs.plain, watched, () => all(together, (user) => plainLogin(homeserverUrl, user)));
      await charge(costs.totp, watched, () => all(together, (user) => totpLogin(ourUrl, user, 1)));
      await charge(costs.recovery, watched, () =>
        all(together, (user) => login(ourUrl, user, RECOVERY_STAGE, user.recoveryCode)),
      );
    }
    results.push(...figures(atOnce, costs, some.length));
  }
  return results;
}

async function all(users: readonly BenchUser[], signIn: (user: BenchUser) => Promise<void>): Promise<void> {
  await Promise.all(users.map(signIn));
}

function figures(
  atOnce: number,
  costs: Readonly<Record<'plain' | 'totp' | 'recovery', LoginCost>>,
  counted: number,
): BenchResult[] {
  const plain = `${atOnce} at once, plain: CPU of the homeserver`;
  return [
    { name: plain, value: costs.plain.homeserverMs / counted, unit: 'ms', ratio_to: null },
    ...(['totp', 'recovery'] as const).flatMap((kind): BenchResult[] => {
      const { homeserverMs, ownMs, homeserverLogins } = costs[kind];
      const name = `${atOnce} at once, ${kind}`;
      return [
        {
          name: `${name}: CPU of the homeserver`,
          value: homeserverMs / counted,
          unit: 'ms',
          ratio_to: plain,
        },
        { name: `${name}: our CPU`, value: ownMs / counted, unit: 'ms', ratio_to: plain },
        {
          name: `${name}: homeserver logins`,
          value: homeserverLogins / counted,
          unit: 'logins',
          ratio_to: null,
        },
      ];
    }),
  ];
}

/** Clients keep their connections. */
const agent = new Agent({ keepAliveTimeout: 60_000 });

async function post(url: string, body: JsonObject): Promise<{ status: number; json: JsonObject }> {
  const { statusCode, body: answer } = await request(url + LOGIN, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    dispatcher: agent,
  });
  return { status: statusCode, json: (await answer.json()) as JsonObject };
}

async function plainLogin(url: string, user: BenchUser): Promise<void> {
  const answer = await post(url, credentials(user));
  if (answer.status !== 200) throw new Error(`a plain login was refused: ${JSON.stringify(answer.json)}`);
}

async function login(url: string, user: BenchUser, type: string, token: string): Promise<void> {
  const challenge = await post(url, credentials(user));
  const { session = '' } = challenge.json;
  const answer = await post(url, { auth: { type, session, token } });
  if (answer.status !== 200)
    throw new Error(`a login with a second factor was refused: ${JSON.stringify(answer.json)}`);
}

function credentials(user: BenchUser) {
  return {
    type: PASSWORD_STAGE,
    identifier: { type: 'm.id.user', user: user.userId },
    password: PASSWORD,
  };
}

async function charge(cost: LoginCost, watched: Watched, work: () => Promise<void>): Promise<void> {
  const before = {
    homeserver: cpuMs(watched.homeserver),
    own: cpuMs(watched.own),
    logins: logins(watched.log),
  };
  await work();
  cost.homeserverMs += cpuMs(watched.homeserver) - before.homeserver;
  cost.ownMs += cpuMs(watched.own) - before.own;
  cost.homeserverLogins += logins(watched.log) - before.logins;
}

/** Logins that the homeserver's access log knows of. */
function logins(log: string): number {
  return readFileSync(log, 'utf8').split('"POST /_matrix/client/v3/login').length - 1;
}

function zero(): LoginCost {
  return { homeserverMs: 0, ownMs: 0, homeserverLogins: 0 };
}

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}
