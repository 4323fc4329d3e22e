import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { UiaEngine } from '../../src/uia/engine.ts';
import type { Session } from '../../src/uia/session.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { bindingOf, engineOver, FAILURE_LIMIT } from './engine_under_test.ts';

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

test('a password that a page had judged stays with the session, the last one, and is sealed', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  for (const password of ['first', 'second']) {
    await storage.commit([opened.binding.userId], engine.passwordGiven(opened, password));
  }
  expect((await engine.find(opened.id))?.password).toBe('second');
  const stored = await storage.sessions.find(opened.idHash);
  expect(stored?.sealedPassword?.toString('latin1')).not.toContain('second');
});

test('attack 55: five failures end a session, four do not', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  for (let failure = 1; failure < FAILURE_LIMIT; failure++) expect((await fail(opened))[1]).toBe(0);
  expect(await engine.resume(bindingOf(), opened.id)).toBeDefined();
  expect((await fail(opened))[1]).toBe(1);
  expect(await engine.resume(bindingOf(), opened.id)).toBeUndefined();
  expect(await engine.complete(opened, 'first')).toEqual({ outcome: 'gone' });
  expect((await fail(opened))[0]).toBeUndefined();
});

test('attack 55: failures at the same moment are all counted', async () => {
  const opened = await engine.open(bindingOf(), { flows });
  const failures = await Promise.all(Array.from({ length: FAILURE_LIMIT }, () => fail(opened)));
  expect(failures.filter(([, ended]) => ended > 0)).toHaveLength(1);
  expect(await engine.find(opened.id)).toBeUndefined();
});

function fail(session: Session) {
  return storage.commit([session.binding.userId], engine.failed(session));
}
