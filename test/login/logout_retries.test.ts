import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { until } from '../support/until.ts';
import { MINUTE, PASSWORD, signIn, startSignIns } from './support.ts';

let app: TestApp;

beforeEach(async () => {
  ({ app } = await startSignIns());
});

afterEach(() => app.stop());

const logouts = () => app.stub.requestsTo('logout').length;

async function endedHold(name = 'bob'): Promise<void> {
  expect((await signIn(app, name)).status).toBe(401);
  app.clock.advance(6 * MINUTE);
}

/** Keeps house each minute; answers with the minutes in which a logout was tried. */
async function triesIn(minutes: number): Promise<number[]> {
  const tries: number[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const before = logouts();
    await app.proxy.keepHouse();
    if (logouts() > before) tries.push(minute);
    app.clock.advance(MINUTE);
  }
  return tries;
}

describe('what the homeserver says to the logout of a held login', () => {
  test.each([
    [401, 'M_UNKNOWN_TOKEN'],
    [401, 'M_USER_LOCKED'],
    [403, 'M_FORBIDDEN'],
    [404, 'M_UNRECOGNIZED'],
    [403, 'M_USER_DEACTIVATED'],
  ])('attack 165: %i %s: done, and not asked again', async (status, errcode) => {
    await endedHold();
    app.stub.override(/POST .*\/logout$/, () => ({ status, body: { errcode, error: 'no' } }));
    expect(await triesIn(10)).toEqual([0]);
  });

  test.each([
    ['500', 500],
    ['429', 429],
    ['nothing', 0],
  ])('attack 165: %s: tried again, ever more rarely', async (_what, status) => {
    await endedHold();
    app.stub.override(/POST .*\/logout$/, (exchange) => {
      if (status > 0) return { status, body: { errcode: 'M_UNKNOWN', error: 'no' } };
      exchange.response.destroy();
      return 'answered by hand';
    });
    expect(await triesIn(70)).toEqual([0, 1, 2, 4, 8, 16, 32, 64]);
  });

  test('attack 165: a restart does not make it ask more often', async () => {
    await endedHold();
    app.stub.override(/POST .*\/logout$/, () => ({
      status: 500,
      body: { errcode: 'M_UNKNOWN', error: 'no' },
    }));
    expect(await triesIn(10)).toEqual([0, 1, 2, 4, 8]);
    await app.shutDown();
    await app.start();
    expect(await triesIn(10)).toEqual([6]);
  });
});

test('attack 165: answers that take long delay no other logout, of now or of later', async () => {
  const slow = Array.from({ length: 10 }, (_, number) => `slow${number}`);
  for (const name of [...slow, 'carol', 'dave']) {
    app.stub.addUser({ name, password: PASSWORD });
    await app.enrol(name, 1);
  }
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  app.stub.override(/POST .*\/logout$/, async (exchange, next) => {
    const token = exchange.headers.authorization?.replace('Bearer ', '') ?? '';
    const isSlow = slow.some((name) => app.stub.liveTokens(name).includes(token));
    if (isSlow) await answered;
    return next();
  });
  for (const name of slow) await signIn(app, name);
  await endedHold('carol');
  const rounds = [app.proxy.keepHouse()];
  await until(() => app.stub.liveTokens('carol').length === 0);
  await endedHold('dave');
  rounds.push(app.proxy.keepHouse());
  await until(() => app.stub.liveTokens('dave').length === 0);
  expect(slow.filter((name) => app.stub.liveTokens(name).length === 1)).toHaveLength(10);

  answer();
  await Promise.all(rounds);
  expect(slow.flatMap((name) => app.stub.liveTokens(name))).toEqual([]);
});
