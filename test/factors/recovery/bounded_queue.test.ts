import { expect, test } from '@jest/globals';
import { BoundedQueue } from '../../../src/factors/recovery/bounded_queue.ts';

/** Work that waits to be told to end. */
function heldWork() {
  const started: number[] = [];
  const endings: (() => void)[] = [];
  const work = (name: number) => () => {
    started.push(name);
    return new Promise<number>((resolve) => endings.push(() => resolve(name)));
  };
  return { started, endings, work };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('attack 90: only so many run at once, the others follow in order', async () => {
  const queue = new BoundedQueue(2, 10);
  const { started, endings, work } = heldWork();
  const results = [1, 2, 3, 4].map((name) => queue.run(work(name)));
  await settle();
  expect(started).toEqual([1, 2]);
  endings[1]?.();
  await settle();
  expect(started).toEqual([1, 2, 3]);
  endings[0]?.();
  endings[2]?.();
  await settle();
  endings[3]?.();
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
});

test('attack 90: what does not fit is refused at once, with a time', async () => {
  const queue = new BoundedQueue(1, 1);
  const { endings, work } = heldWork();
  const first = queue.run(work(1));
  const second = queue.run(work(2));
  await expect(queue.run(work(3))).rejects.toMatchObject({ refusal: 'limit_exceeded', retryAfterMs: 1000 });
  endings[0]?.();
  await first;
  await settle();
  endings[1]?.();
  expect(await second).toBe(2);
});

test('work that fails passes its turn on', async () => {
  const queue = new BoundedQueue(1, 1);
  const failing = queue.run(() => Promise.reject(new Error('no memory')));
  const next = queue.run(async () => 'done');
  await expect(failing).rejects.toThrow('no memory');
  expect(await next).toBe('done');
  expect(await queue.run(async () => 'again')).toBe('again');
});
