import { beforeEach, describe, expect, test } from '@jest/globals';
import { networkOf } from '../../src/http/network.ts';
import { AddressLimit } from '../../src/limits/attempt_limit.ts';
import { RateLimit } from '../../src/limits/rate_limit.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { keptBytes } from '../support/kept_memory.ts';
import { ManualClock } from '../support/manual_clock.ts';

const rate = { perSecond: 0.5, burstCount: 3 };
const settle = () => new Promise((resolve) => setImmediate(resolve));
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

function takeAll(limit: RateLimit, key: string): void {
  for (let taken = 0; taken < rate.burstCount; taken++) limit.take(key);
}

describe('a bucket', () => {
  test('grants a burst, then says how long until the next one', () => {
    const limit = new RateLimit(rate, clock, 'address');
    takeAll(limit, 'bob');
    expect(() => limit.take('bob')).toThrow(
      expect.objectContaining({ refusal: 'limit_exceeded', retryAfterMs: 2000 }),
    );
    clock.advance(1500);
    expect(() => limit.take('bob')).toThrow(expect.objectContaining({ retryAfterMs: 500 }));
    clock.advance(500);
    limit.take('bob');
    expect(() => limit.take('bob')).toThrow();
  });

  test('fills up to the burst and no further', () => {
    const limit = new RateLimit(rate, clock, 'address');
    takeAll(limit, 'bob');
    clock.advance(3_600_000);
    takeAll(limit, 'bob');
    expect(() => limit.take('bob')).toThrow();
  });

  test('is one for each key', () => {
    const limit = new RateLimit(rate, clock, 'address');
    takeAll(limit, 'bob');
    expect(() => takeAll(limit, 'alice')).not.toThrow();
  });

  test('can be asked without taking, spent beyond its end, and given back to', () => {
    const limit = new RateLimit(rate, clock, 'address');
    for (let asked = 0; asked < 10; asked++) limit.require('bob');
    for (let spent = 0; spent < 10; spent++) limit.spend('bob');
    expect(limit.isEmpty('bob')).toBe(true);
    expect(() => limit.require('bob')).toThrow(expect.objectContaining({ retryAfterMs: 2000 }));
    limit.giveBack('bob');
    expect(limit.isEmpty('bob')).toBe(false);
    limit.giveBack('nobody');
    for (let given = 0; given < 10; given++) limit.giveBack('bob');
    takeAll(limit, 'bob');
    expect(limit.isEmpty('bob')).toBe(true);
  });

  test('attack 62: a clock that jumps back gives nothing', () => {
    const limit = new RateLimit(rate, clock, 'address');
    takeAll(limit, 'bob');
    clock.advance(-3_600_000);
    expect(() => limit.take('bob')).toThrow(expect.objectContaining({ retryAfterMs: 2000 }));
  });

  test('attack 144: a clock that was a day ahead keeps no one waiting when it is right again', () => {
    const limit = new RateLimit(rate, clock, 'address');
    takeAll(limit, 'bob');
    clock.advance(-24 * 3_600_000);
    expect(limit.isEmpty('bob')).toBe(true);
    clock.advance(2000);
    limit.take('bob');
  });

  test('attack 71: beyond the maximum the key least lately used is forgotten', () => {
    const limit = new RateLimit(rate, clock, 'address', 2);
    takeAll(limit, 'bob');
    limit.take('alice');
    limit.spend('bob');
    limit.take('eve');
    expect(limit.isEmpty('bob')).toBe(true);
    takeAll(limit, 'alice');
  });
});

test('attack 124: a key of 60 KB is kept no longer than a short one, and still counts by itself', async () => {
  const limit = new RateLimit(rate, clock, 'address');
  const long = (end: string) => 'x'.repeat(60_000) + end;
  const kept = await keptBytes(() => {
    for (let turn = 0; turn < 1000; turn++) limit.take(long(`${turn}`));
  }, 5_000_000);
  expect(kept).toBeLessThan(5_000_000);
  takeAll(limit, long('bob'));
  expect(limit.isEmpty(long('bob'))).toBe(true);
  expect(limit.isEmpty(long('alice'))).toBe(false);
});

describe('addresses', () => {
  const from = (ip: string) => ({ ip, proto: 'https', host: undefined }) as const;
  const failing = (limit: AddressLimit, ip: string) =>
    limit.attempt(
      from(ip),
      async () => 'wrong',
      () => false,
    );

  test('a crowd of addresses in one IPv6 network counts as one', async () => {
    const limit = new AddressLimit(rate, clock);
    for (const host of ['1', '2', 'ffff:1']) await failing(limit, `2001:db8:1:2::${host}`);
    await expect(failing(limit, '2001:db8:1:2:9:9:9:9')).rejects.toMatchObject({
      refusal: 'limit_exceeded',
      retryAfterMs: 2000,
    });
    await failing(limit, '2001:db8:1:3::1');
  });

  test('attack 142: what succeeds, or finds something out of order, does not count; what is refused does', async () => {
    const limit = new AddressLimit(rate, clock);
    const attempt = (act: () => Promise<string>) =>
      limit.attempt(from('192.0.2.1'), act, (result) => result === 'right');
    for (let turn = 0; turn < 10; turn++) {
      expect(await attempt(async () => 'right')).toBe('right');
      const faults = [new Error('disk full'), new Refusal('homeserver_unreachable')];
      for (const fault of faults) await expect(attempt(() => Promise.reject(fault))).rejects.toBe(fault);
    }
    const refused = new Refusal('login_refused');
    for (let turn = 0; turn < rate.burstCount; turn++) {
      await expect(attempt(() => Promise.reject(refused))).rejects.toBe(refused);
    }
    await expect(attempt(async () => 'right')).rejects.toMatchObject({ refusal: 'limit_exceeded' });
  });

  test('attack 142: 300 at once wait for what becomes of those before them, and are refused once it is clear', async () => {
    const limit = new AddressLimit(rate, clock);
    const atOnce = (result: string) =>
      Promise.allSettled(
        Array.from({ length: 300 }, () =>
          limit.attempt(
            from('192.0.2.1'),
            () => settle().then(() => result),
            (came) => came === 'right',
          ),
        ),
      );
    const right = await atOnce('right');
    expect(right.filter(({ status }) => status === 'fulfilled')).toHaveLength(300);
    const wrong = await atOnce('wrong');
    expect(wrong.filter(({ status }) => status === 'fulfilled')).toHaveLength(rate.burstCount);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1::1', '2001:db8:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
