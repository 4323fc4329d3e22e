import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { UiaEngine } from '../../src/uia/engine.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { bindingOf, engineOver } from './engine_under_test.ts';

const flows = [['first', 'second'], ['other']];
let storage: Storage;
let engine: UiaEngine;

beforeEach(async () => {
  const clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
  engine = engineOver(storage.sessions, clock).engine;
});

afterEach(() => storage.close());

test('a session comes back from the store as it was', async () => {
  const opened = await engine.open(bindingOf(), { flows, body: { devices: ['ä'] }, holdId: 'hold' });
  expect(await engine.resume(bindingOf(), opened.id)).toEqual(opened);
  expect(await engine.again(bindingOf())).toEqual(opened);
  expect(await engine.ofHold('hold', { devices: ['ä'] })).toEqual(opened);
});

test('attack 30: of many completions and finishes at the same moment one counts', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  const run = async () => {
    const first = await engine.complete(opened, 'first');
    if (first.outcome === 'gone') return false;
    const second = await engine.complete(first.session, 'second');
    return second.outcome !== 'gone' && engine.finish(second.session);
  };
  const finishes = await Promise.all(Array.from({ length: 20 }, run));
  expect(finishes.filter(Boolean)).toHaveLength(1);
  expect(await engine.find(opened.id)).toBeUndefined();
});

test('attack 46: of two first bodies at the same moment one binds', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  const results = await Promise.allSettled(
    ['A', 'B'].map((device) => engine.resume(bindingOf(), opened.id, { devices: [device] })),
  );
  expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('attack 55: failures at the same moment are all counted', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  const dead = await Promise.all(Array.from({ length: 5 }, () => engine.countFailure(opened)));
  expect(dead.filter(Boolean)).toHaveLength(1);
  expect(await engine.find(opened.id)).toBeUndefined();
});
