import { beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { LiveProcesses, listProcesses } from '../../src/storage/tables/processes.ts';
import { SECOND } from '../../src/system/clock.ts';
import { describeOnBothStores } from './on_both.ts';

const ids = ask<{ readonly id: string }>('SELECT id FROM processes ORDER BY id');

const described = (keyIds = 'k1') => ({
  host: 'here',
  version: '1.2.3',
  keyIds,
  sealingKey: 'k1',
  settingsDigest: 'd',
});

describeOnBothStores('the processes on one database', (opened) => {
  let one: LiveProcesses;
  let other: LiveProcesses;

  beforeEach(async () => {
    one = new LiveProcesses(opened.storage, 'one', described);
    other = new LiveProcesses(await opened.openAnother(), 'other', described);
  });

  test('a process is alone until another one announces itself, and again when that has left', async () => {
    await one.announce();
    expect(await one.isAlone()).toBe(true);
    await other.announce();
    expect(await one.isAlone()).toBe(false);
    expect(await other.isAlone()).toBe(false);
    await other.leave();
    expect(await one.isAlone()).toBe(true);
  });

  test('of two that ask at the same moment, without having announced themselves, at most one is alone', async () => {
    for (let turn = 0; turn < 20; turn++) {
      const alone = await Promise.all([one.isAlone(), other.isAlone()]);
      expect(alone.filter(Boolean).length).toBeLessThan(2);
      await Promise.all([one.leave(), other.leave()]);
    }
  });

  test('one that was killed counts as there for half a minute', async () => {
    await other.announce();
    opened.clock.advance(29 * SECOND);
    expect(await one.isAlone()).toBe(false);
    opened.clock.advance(SECOND);
    expect(await one.isAlone()).toBe(true);
  });

  test('one that was stopped for longer than that is seen before it goes on', async () => {
    await one.announce();
    await other.announce();
    opened.clock.advance(60 * SECOND);
    expect(await one.isAlone()).toBe(true);
    expect(await other.isAlone()).toBe(false);
    expect(await one.isAlone()).toBe(false);
  });

  test('one that asks all the time stays in sight of the others', async () => {
    for (let at = 0; at < 60; at += 10) {
      await other.isAlone();
      expect(await one.isAlone()).toBe(false);
      opened.clock.advance(10 * SECOND);
    }
  });

  test('attack 144: a row from a clock that was ahead is not there, and is written again by the one it is of', async () => {
    await other.announce();
    opened.clock.advance(-3600 * SECOND);
    expect(await one.isAlone()).toBe(true);
    expect(await other.isAlone()).toBe(false);
    expect(await one.isAlone()).toBe(false);
  });

  test('those that are not there any more are dropped', async () => {
    await other.announce();
    opened.clock.advance(30 * SECOND);
    await one.announce();
    expect(await opened.storage.read(ids)).toEqual([{ id: 'one' }]);
  });

  test('a process that is alone writes nothing to know it', async () => {
    await one.announce();
    const reading = new LiveProcesses(
      { read: (query) => opened.storage.read(query), commit: () => Promise.reject(new Error('written')) },
      'one',
      described,
    );
    expect(await reading.isAlone()).toBe(true);
  });

  test('each says of itself what it is now; those that are not there any more are not listed', async () => {
    let keyIds = 'k1';
    const changing = new LiveProcesses(opened.storage, 'changing', () => described(keyIds));
    await changing.announce();
    await other.announce();
    keyIds = 'k1 k2';
    opened.clock.advance(29 * SECOND);
    await changing.announce();
    expect(await opened.storage.read(listProcesses())).toEqual([
      { id: 'changing', ...described('k1 k2') },
      { id: 'other', ...described() },
    ]);
    opened.clock.advance(SECOND);
    expect(await opened.storage.read(listProcesses())).toEqual([{ id: 'changing', ...described('k1 k2') }]);
  });
});
