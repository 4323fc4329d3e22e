import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { LateAnswers } from '../../src/homeserver/late_answers.ts';
import { silentLog } from '../../src/system/log.ts';

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => void jest.useRealTimers());

test('a request that goes out after it was given up leaves no timer behind', async () => {
  const late = new LateAnswers(60_000, silentLog);
  let goOut: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const asked = late.inTime(
    (sent) => {
      goOut = sent;
      return new Promise((_resolve, reject) => {
        fail = reject;
      });
    },
    async () => undefined,
  );
  const refused = expect(asked).rejects.toMatchObject({ refusal: 'homeserver_slow' });
  const closed = late.close();
  await refused;

  goOut();
  expect(jest.getTimerCount()).toBe(0);
  fail(new Error('the connection is closed'));
  await closed;
});
