import { expect, test } from '@jest/globals';
import { DatabaseClock } from '../../src/storage/database_clock.ts';
import { ManualClock } from '../support/manual_clock.ts';

const MINUTE = 60_000;

test('it is the time of the machine until the database tells another', () => {
  const machine = new ManualClock(10 * MINUTE);
  const clock = new DatabaseClock(machine);
  expect(clock.now()).toBe(10 * MINUTE);
  clock.learn(5 * MINUTE);
  expect(clock.now()).toBe(5 * MINUTE);
  machine.advance(MINUTE);
  expect(clock.now()).toBe(6 * MINUTE);
});

test('small differences are the way of an answer; a clock that is set is learnt', () => {
  const machine = new ManualClock(10 * MINUTE);
  const clock = new DatabaseClock(machine);
  clock.learn(10 * MINUTE - 1500);
  expect(clock.now()).toBe(10 * MINUTE);
  machine.advance(-MINUTE);
  clock.learn(10 * MINUTE);
  expect(clock.now()).toBe(10 * MINUTE);
  clock.learn(9 * MINUTE);
  expect(clock.now()).toBe(9 * MINUTE);
});
