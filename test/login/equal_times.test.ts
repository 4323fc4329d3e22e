import { afterEach, describe, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { rankDistance } from '../support/rank_test.ts';
import { signIn, startSignIns } from './support.ts';

let app: TestApp;

afterEach(() => app.stop());

const ROUNDS = 30;
const AT_ONCE = 6;
/** Chance alone is further apart once in 15,000 times. */
const FAR = 4;
/** What a homeserver takes for a password. */
const HASHING_MS = 5;
/** The sign-ins of a burst wait for each other: seconds on an idle machine. */
const LIMIT_MS = 120_000;

/** `bob` has 2FA on, `alice` has not, `nobody` is not a user. */
const NAMES = ['bob', 'alice', 'nobody'] as const;

async function start(): Promise<void> {
  ({ app } = await startSignIns({
    config: 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }',
  }));
  app.stub.override('login', async (_exchange, next) => {
    await new Promise((resolve) => setTimeout(resolve, HASHING_MS));
    return next();
  });
}

/** The times of `ROUNDS` bursts for each name, which take turns, and every status that came back. */
async function measure(passwordOf: (round: number, turn: number) => string) {
  const times: Record<(typeof NAMES)[number], number[]> = { bob: [], alice: [], nobody: [] };
  const statuses = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const order = NAMES.map((_, index) => NAMES[(index + round) % NAMES.length] ?? 'bob');
    for (const name of order) {
      const begun = performance.now();
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, turn) => signIn(app, name, passwordOf(round, turn))),
      );
      times[name].push(performance.now() - begun);
      for (const { status, body } of answers) statuses.add(`${status} ${body.errcode} ${body.error}`);
    }
  }
  return { times, statuses };
}

describe('attack 147: the time of an answer does not tell who has 2FA on', () => {
  test.each<[string, (round: number, turn: number) => string]>([
    ['six equal wrong passwords at once', (round) => `wrong ${round}`],
    ['six different wrong passwords at once', (round, turn) => `wrong ${round} ${turn}`],
    ['six wrong passwords with codes behind them', (round, turn) => `wrong${round} 12345${turn}`],
  ])(
    'attack 147: %s',
    async (_what, passwordOf) => {
      await start();
      const { times, statuses } = await measure(passwordOf);
      expect([...statuses]).toHaveLength(1);
      expect(rankDistance(times.bob, times.alice)).toBeLessThan(FAR);
      expect(rankDistance(times.bob, times.nobody)).toBeLessThan(FAR);
    },
    LIMIT_MS,
  );

  test(
    'attack 147: a homeserver that limits wrong logins',
    async () => {
      await start();
      app.stub.override('login', async () => {
        await new Promise((resolve) => setTimeout(resolve, HASHING_MS));
        return {
          status: 429,
          body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 5 },
        };
      });
      const { times, statuses } = await measure((round) => `wrong ${round}`);
      expect([...statuses]).toHaveLength(1);
      expect(rankDistance(times.bob, times.alice)).toBeLessThan(FAR);
    },
    LIMIT_MS,
  );
});

test('the rank test finds samples that differ', () => {
  const one = Array.from({ length: 30 }, (_, index) => index);
  expect(
    rankDistance(
      one,
      one.map((value) => value + 0.25),
    ),
  ).toBeLessThan(1);
  expect(
    rankDistance(
      one,
      one.map((value) => value + 30),
    ),
  ).toBeGreaterThan(6);
});
