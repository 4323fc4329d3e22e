import { afterEach, describe, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { rankDistance } from '../support/rank_test.ts';
import { signIn, startSignIns } from './support.ts';

let app: TestApp;

afterEach(() => app.stop());

const ROUNDS = 30;
/** For times that seem to differ. What differs indeed is further apart in more rounds: 1.7 times in three times as many. */
const MORE_ROUNDS = 90;
const AT_ONCE = 6;
/** Chance alone is further apart once in 15,000 times, and twice in a row once in 200 million. */
const FAR = 4;
/** What a homeserver takes for a password. */
const HASHING_MS = 5;

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

type Name = (typeof NAMES)[number];

/** The times of so many bursts for each name, which take turns. `statuses` gets every answer that came back. */
async function measure(
  passwordOf: (round: number, turn: number) => string,
  rounds: number,
  statuses: Set<string>,
): Promise<Readonly<Record<Name, number[]>>> {
  const times: Record<Name, number[]> = { bob: [], alice: [], nobody: [] };
  for (let round = 0; round < rounds; round++) {
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
  return times;
}

/** All answers are alike, and those for `bob` take as long as those for the others. */
async function expectAlike(
  passwordOf: (round: number, turn: number) => string,
  others: readonly Name[],
): Promise<void> {
  const statuses = new Set<string>();
  const differing = async (from: number, rounds: number) => {
    const times = await measure((round, turn) => passwordOf(from + round, turn), rounds, statuses);
    return others.filter((name) => rankDistance(times.bob, times[name]) >= FAR);
  };
  const found = await differing(0, ROUNDS);
  // With passwords that were not judged before.
  const believed = found.length === 0 ? found : await differing(ROUNDS, MORE_ROUNDS);
  expect([...statuses]).toHaveLength(1);
  expect(believed).toEqual([]);
}

describe('attack 147: the time of an answer does not tell who has 2FA on', () => {
  test.each<[string, (round: number, turn: number) => string]>([
    ['six equal wrong passwords at once', (round) => `wrong ${round}`],
    ['six different wrong passwords at once', (round, turn) => `wrong ${round} ${turn}`],
    ['six wrong passwords with codes behind them', (round, turn) => `wrong${round} 12345${turn}`],
  ])('attack 147: %s', async (_what, passwordOf) => {
    await start();
    await expectAlike(passwordOf, ['alice', 'nobody']);
  });

  test('attack 147: a homeserver that limits wrong logins', async () => {
    await start();
    app.stub.override('login', async () => {
      await new Promise((resolve) => setTimeout(resolve, HASHING_MS));
      return {
        status: 429,
        body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 5 },
      };
    });
    await expectAlike((round) => `wrong ${round}`, ['alice']);
  });
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
