import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FairQueue } from '../../src/system/fair_queue.ts';

const full = () => new Error('full');
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A queue whose work ends when it is told to, and what became of it. */
class Watched {
  readonly started: string[] = [];
  readonly refused: string[] = [];
  readonly waiting: string[] = [];
  private readonly endings: (() => void)[] = [];

  constructor(private readonly queue: FairQueue) {}

  get running(): number {
    return this.endings.length;
  }

  /** `name` begins with the letter of its party. */
  async arrive(name: string, source?: string): Promise<void> {
    this.waiting.push(name);
    const turn = { party: name.slice(0, 1), ...(source === undefined ? {} : { source }) };
    const ended = this.queue.run(turn, () => {
      this.started.push(name);
      this.leave(name);
      return new Promise<void>((resolve) => this.endings.push(resolve));
    });
    ended.catch(() => {
      this.refused.push(name);
      this.leave(name);
    });
    await settle();
  }

  async finishOne(): Promise<void> {
    this.endings.shift()?.();
    await settle();
  }

  private leave(name: string): void {
    this.waiting.splice(this.waiting.indexOf(name), 1);
  }
}

test('attack 90: only so many run at once, and one party’s work follows in order', async () => {
  const watched = new Watched(new FairQueue({ atOnce: 2, waiting: 10, full }));
  for (const name of ['a1', 'a2', 'a3', 'a4']) await watched.arrive(name);
  expect(watched.started).toEqual(['a1', 'a2']);
  await watched.finishOne();
  await watched.finishOne();
  expect(watched.started).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('attack 141: parties are served by turns, however much one of them has waiting', async () => {
  const watched = new Watched(new FairQueue({ atOnce: 1, waiting: 10, full }));
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) await watched.arrive(name);
  for (let turn = 0; turn < 6; turn++) await watched.finishOne();
  expect(watched.started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('attack 90: what does not fit is refused at once', async () => {
  const queue = new FairQueue({ atOnce: 1, waiting: 1, full });
  const watched = new Watched(queue);
  for (const name of ['a1', 'a2', 'a3']) await watched.arrive(name);
  expect(watched.refused).toEqual(['a3']);
  expect(() => queue.requireRoom({ party: 'a' })).toThrow('full');
});

test('attack 140: a party that has most waiting gives way to one that has less', async () => {
  const queue = new FairQueue({ atOnce: 1, waiting: 3, full });
  const watched = new Watched(queue);
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1']) await watched.arrive(name);
  expect(watched.refused).toEqual(['a4']);
  expect(() => queue.requireRoom({ party: 'c' })).not.toThrow();
  expect(() => queue.requireRoom({ party: 'b' })).toThrow('full');
  await watched.finishOne();
  await watched.finishOne();
  expect(watched.started).toEqual(['a1', 'a2', 'b1']);
});

test('attack 140: from one source only so much waits', async () => {
  const watched = new Watched(new FairQueue({ atOnce: 1, waiting: 9, waitingFromSource: 1, full }));
  await watched.arrive('a1', 'home');
  await watched.arrive('a2', 'home');
  await watched.arrive('a3', 'home');
  await watched.arrive('a4', 'elsewhere');
  expect(watched.refused).toEqual(['a3']);
  await watched.finishOne();
  await watched.arrive('a5', 'home');
  expect(watched.refused).toEqual(['a3']);
});

test('work that fails passes its turn on', async () => {
  const queue = new FairQueue({ atOnce: 1, waiting: 1, full });
  const failing = queue.run({ party: 'a' }, () => Promise.reject(new Error('no memory')));
  const next = queue.run({ party: 'a' }, async () => 'done');
  await expect(failing).rejects.toThrow('no memory');
  expect(await next).toBe('done');
  expect(await queue.run({ party: 'a' }, async () => 'again')).toBe('again');
});

test('who stops waiting leaves the place to others, and takes no one’s turn', async () => {
  const queue = new FairQueue({ atOnce: 1, waiting: 1, full });
  let end = () => {};
  const first = queue.run({ party: 'a' }, () => new Promise<void>((resolve) => (end = resolve)));
  const stop = new AbortController();
  const stopped = queue.run({ party: 'b', signal: stop.signal }, async () => 'never');
  stop.abort(new Error('went away'));
  await expect(stopped).rejects.toThrow('went away');
  const next = queue.run({ party: 'c' }, async () => 'done');
  end();
  await first;
  expect(await next).toBe('done');
  await expect(queue.run({ party: 'd', signal: stop.signal }, async () => 'never')).rejects.toThrow(
    'went away',
  );
});

type Step = { readonly arrives: string } | 'one ends';

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'a', 'a', 'b', 'c', 'd').map((arrives) => ({ arrives })) },
  { weight: 2, arbitrary: fc.constant<Step>('one ends') },
);

test('attack 141: whatever comes and ends, the queue is bounded, idles never and starves no party', async () => {
  const options = fc.record({
    atOnce: fc.integer({ min: 1, max: 3 }),
    waiting: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(options, fc.array(aStep, { maxLength: 60 }), async (bounds, steps) => {
      const watched = new Watched(new FairQueue({ ...bounds, full }));
      /** How many others were started since a party began to wait. */
      const passedBy = new Map<string, number>();
      for (const [index, step] of steps.entries()) {
        const before = watched.started.length;
        if (step === 'one ends') await watched.finishOne();
        else await watched.arrive(`${step.arrives}${index}`);

        const waitingParties = new Set(watched.waiting.map((name) => name.slice(0, 1)));
        for (const name of watched.started.slice(before)) {
          for (const [party, count] of passedBy) passedBy.set(party, count + 1);
          passedBy.delete(name.slice(0, 1));
        }
        for (const party of passedBy.keys()) if (!waitingParties.has(party)) passedBy.delete(party);
        for (const party of waitingParties) if (!passedBy.has(party)) passedBy.set(party, 0);

        expect(watched.running).toBeLessThanOrEqual(bounds.atOnce);
        expect(watched.waiting.length).toBeLessThanOrEqual(bounds.waiting);
        if (watched.waiting.length > 0) expect(watched.running).toBe(bounds.atOnce);
        // At most each of the other three had a turn in between.
        for (const count of passedBy.values()) expect(count).toBeLessThanOrEqual(3);
      }
      while (watched.running > 0) await watched.finishOne();
      expect(watched.waiting).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('attack 141: nothing is refused for want of room while another party has two more waiting', async () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), names, async (waiting, parties) => {
      const watched = new Watched(new FairQueue({ atOnce: 1, waiting, full }));
      for (const [index, party] of parties.entries()) {
        await watched.arrive(`${party}${index}`);
        if (!watched.refused.includes(`${party}${index}`)) continue;
        const counts = new Map<string, number>();
        for (const name of watched.waiting) {
          counts.set(name.slice(0, 1), (counts.get(name.slice(0, 1)) ?? 0) + 1);
        }
        expect(Math.max(...counts.values())).toBeLessThanOrEqual((counts.get(party) ?? 0) + 1);
      }
    }),
    { numRuns: 100 },
  );
});

test('work whose patience ends is refused as late, and leaves its place', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    const queue = new FairQueue({ atOnce: 1, waiting: 10, full });
    let finish = (): void => undefined;
    const first = queue.run({ party: 'a' }, () => new Promise<void>((resolve) => (finish = resolve)));
    const late = () => new Error('late');
    const hurried = queue.run({ party: 'b', patience: { ms: 1000, late } }, async () => 'b');
    const patient = queue.run({ party: 'c', patience: { ms: 1002, late } }, async () => 'c');
    const refused = expect(hurried).rejects.toThrow('late');
    await settle();
    jest.advanceTimersByTime(999);
    expect(queue.waiting).toBe(2);
    jest.advanceTimersByTime(1);
    await refused;
    expect(queue.waiting).toBe(1);
    finish();
    expect(await patient).toBe('c');
    await first;
    // What has begun is not ended by its patience.
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
