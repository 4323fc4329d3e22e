import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { hashingQueue, RecoveryHasher } from '../src/factors/recovery/recovery_hasher.ts';
import { RECOVERY_STAGE } from '../src/matrix/wire.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite_storage.ts';
import { CodeSteps } from '../test/support/code_steps.ts';
import { codeAt, enrol, totpSettings } from '../test/support/enrolment.ts';
import { ManualClock } from '../test/support/manual_clock.ts';
import { testVault } from '../test/support/test_vault.ts';

/** How long judging another user's code takes while recovery codes are guessed, in ms. */
export interface RecoveryHashLatency {
  readonly guessing: string;
  readonly p50: number;
  readonly p95: number;
  /** p50 over that of the quiet time. */
  readonly ratio: number;
}

/** One way of guessing, once every `GUESS_EVERY_MS`. */
interface Guessing {
  readonly name: string;
  readonly guess: () => Promise<unknown>;
  readonly latencies: number[];
}

const ROUNDS = 5;
const ROUND_MS = 1000;
/** 100 guesses a second (attack 90). */
const GUESS_EVERY_MS = 10;
const LOGIN_EVERY_MS = 7;
const STEP_MS = totpSettings.period * 1000;

/**
 * Measures what guessing recovery codes costs others (attack 90): the time that a right TOTP code of another
 * user takes to be judged, durably, in a quiet time, while one account guesses, and while so many accounts
 * guess that every guess is hashed. In turns, in this one process.
 */
export async function measureRecoveryHash(): Promise<RecoveryHashLatency[]> {
  const folder = mkdtempSync(join(tmpdir(), 'recovery-hash-'));
  const clock = new ManualClock();
  const storage = await openSqliteStorage({ path: join(folder, 'bench.db'), clock });
  try {
    const vault = testVault();
    const hasher = new RecoveryHasher(hashingQueue());
    const parts = { store: storage.factors, vault, clock };
    // The owner's clock runs ahead, for a new code at every login.
    const owners = new CodeSteps(storage, clock, hasher);
    const guessers = new CodeSteps(storage, clock, hasher);
    const owner = await enrol(parts, '@owner:hs');
    await enrol(parts, '@guesser:hs');

    const salt = Buffer.alloc(16);
    const pepper = vault.pepper().secret;
    let turn = 0;
    const ways: Guessing[] = [
      { name: 'no one', guess: async () => undefined, latencies: [] },
      { name: 'one account', guess: () => guessers.check(aGuess), latencies: [] },
      {
        name: 'many accounts',
        guess: () => {
          turn += 1;
          return hasher.hash('000000000000', { userId: '@guesser:hs', salt, pepper }, `${turn}`);
        },
        latencies: [],
      },
    ];
    const login = async () => {
      clock.advance(STEP_MS);
      const sent = { userId: owner.userId, token: codeAt(owner.seed, clock.now()) };
      const session = await owners.open(sent);
      const started = performance.now();
      const { is } = await owners.take(session, sent);
      if (is !== 'passed') throw new Error(`a right code is ${is}`);
      return performance.now() - started;
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const way of ways) await measureRound(way, login);
    }
    return summarise(ways);
  } finally {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const aGuess = { userId: '@guesser:hs', stage: RECOVERY_STAGE, token: '0000-0000-0000' } as const;

/** The results as lines for people. */
export function recoveryHashTable(results: readonly RecoveryHashLatency[]): string {
  const lines = results.map(({ guessing, p50, p95, ratio }) =>
    [
      guessing.padEnd(15),
      p50.toFixed(2).padStart(6),
      p95.toFixed(2).padStart(6),
      `${ratio.toFixed(1)}×`.padStart(6),
    ].join('  '),
  );
  return ['who guesses      p50 ms  p95 ms   ratio', ...lines].join('\n');
}

async function measureRound(way: Guessing, login: () => Promise<number>): Promise<void> {
  const guesses: Promise<unknown>[] = [];
  const timer = setInterval(() => guesses.push(way.guess().catch(() => undefined)), GUESS_EVERY_MS);
  const end = performance.now() + ROUND_MS;
  while (performance.now() < end) {
    way.latencies.push(await login());
    await pause(LOGIN_EVERY_MS);
  }
  clearInterval(timer);
  await Promise.all(guesses);
}

function summarise(ways: readonly Guessing[]): RecoveryHashLatency[] {
  const quiet = percentile(ways[0]?.latencies ?? [], 0.5);
  return ways.map(({ name, latencies }) => {
    const p50 = percentile(latencies, 0.5);
    return { guessing: name, p50, p95: percentile(latencies, 0.95), ratio: p50 / quiet };
  });
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(recoveryHashTable(await measureRecoveryHash()));
}
