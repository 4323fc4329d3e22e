import { beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ask } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { endWhatWasUnderWay } from '../../src/storage/tables/restored.ts';
import {
  dropOldVisits,
  findVisit,
  keepVisit,
  openVisit,
  takeVisitTurn,
  type VisitLimits,
} from '../../src/storage/tables/visits.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { MINUTE, NOW, raceOf, session, upTo } from './rows.ts';

const HOUR = 60 * MINUTE;
const TIMES = { takenMs: MINUTE, keptMs: HOUR };
const LIMITS: VisitLimits = { perBrowser: 3, most: 5 };

const state = (text: string) => Buffer.from(text);

describeOnBothStores('visits', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  async function open(
    idHash: string,
    { browser = 'browser', sessionHash = null, on = storage, limits = LIMITS }: Opening = {},
  ): Promise<boolean> {
    const visit = { idHash, browser, sessionHash, sealedState: state('first') };
    return (await on.commit([], openVisit(visit, TIMES, limits))).won;
  }

  async function take(idHash: string, turn: number, on = storage): Promise<string | undefined> {
    return (await on.commit([], takeVisitTurn(idHash, turn, TIMES)))?.sealedState.toString();
  }

  async function keep(idHash: string, turn: number, text: string, heldUntil = 0): Promise<boolean> {
    const kept = { idHash, turn, sealedState: state(text), sessionHash: null, heldUntil };
    return (await storage.commit([], keepVisit(kept, TIMES))) !== undefined;
  }

  const find = async (idHash: string) => (await storage.read(findVisit(idHash)))[0];

  async function ids(): Promise<string[]> {
    const rows = await storage.read(ask<{ id: string }>('SELECT id_hash AS id FROM visits ORDER BY id_hash'));
    return rows.map(({ id }) => id);
  }

  test('one is found as it was kept, until an hour after its last request or its held login', async () => {
    expect(await open('one')).toBe(true);
    expect(await find('one')).toEqual({
      ...{ idHash: 'one', browser: 'browser', sessionHash: null, turn: 1, isTaken: 1 },
      sealedState: state('first'),
    });
    expect(await keep('one', 1, 'second', NOW + 5 * MINUTE)).toBe(true);
    expect(await find('one')).toMatchObject({ isTaken: 0, sealedState: state('second') });
    const end = NOW + 5 * MINUTE + HOUR;
    opened.at(end - 1);
    expect(await find('one')).toBeDefined();
    await storage.commit([], dropOldVisits());
    expect(await ids()).toEqual(['one']);
    opened.at(end);
    expect(await find('one')).toBeUndefined();
    expect(await take('one', 1)).toBeUndefined();
    await storage.commit([], dropOldVisits());
    expect(await ids()).toEqual([]);
  });

  test('of 30 requests with one turn one takes it, of the first turn too', async () => {
    const replicas = await replicasOf(opened);
    const firsts = await raceOf(30, replicas, (on) => open('one', { on }));
    expect(firsts.filter(Boolean)).toHaveLength(1);
    const taken = await raceOf(30, replicas, (on) => take('one', 1, on));
    expect(taken.filter((text) => text !== undefined)).toEqual(['first']);
    expect(await take('one', 1)).toBeUndefined();
    expect(await take('unknown', 1)).toBeUndefined();
  });

  test('a request that was late keeps nothing over a later one', async () => {
    await open('one');
    expect(await take('one', 1)).toBe('first');
    expect(await keep('one', 1, 'late')).toBe(false);
    expect(await keep('one', 2, 'second')).toBe(true);
    expect((await find('one'))?.sealedState).toEqual(state('second'));
  });

  test('however forms come, each turn is taken once and never backwards', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 }), async (turns) => {
        number += 1;
        const id = `visit ${number}`;
        await open(id);
        const taken: number[] = [];
        for (const turn of turns) if ((await take(id, turn)) !== undefined) taken.push(turn);
        expect(taken).toEqual(taken.map((_, at) => at + 1));
      }),
      { numRuns: 15 },
    );
  });

  test('a visit that a killed process was at work on is free after a minute', async () => {
    await open('one');
    opened.at(NOW + MINUTE);
    expect(await find('one')).toMatchObject({ isTaken: 0, turn: 1 });
  });

  test('attack 144: nor does it stay at work where its clock was ahead', async () => {
    await open('one');
    opened.at(NOW - 2 * HOUR);
    expect(await find('one')).toMatchObject({ isTaken: 0, turn: 1 });
  });

  test('attack 244: a browser keeps its newest, all browsers together the newest, and none goes whose login is held', async () => {
    await storage.sessions.open(session({ idHash: 'live' }), upTo(9));
    await open('held', { sessionHash: 'live' });
    for (const [at, id] of ['b', 'c', 'd', 'e'].entries()) {
      opened.at(NOW + at + 1);
      await open(id);
    }
    expect(await ids()).toEqual(['d', 'e', 'held']);
    for (const [at, id] of ['f', 'g', 'h'].entries()) {
      opened.at(NOW + at + 10);
      await open(id, { browser: id });
    }
    expect(await ids()).toEqual(['e', 'f', 'g', 'h', 'held']);
    await storage.sessions.end('live');
    opened.at(NOW + 20);
    await open('i', { browser: 'i' });
    expect(await ids()).toEqual(['e', 'f', 'g', 'h', 'i']);
  });

  test('of a flood on two replicas no more are left than may be', async () => {
    const limits = { perBrowser: 20, most: 30 };
    await raceOf(60, await replicasOf(opened), (on, index) => open(`visit ${index}`, { on, limits }));
    await open('last', { limits });
    expect((await ids()).length).toBeLessThanOrEqual(20);
  });

  test('none goes on from a copy, or from a time that has not come', async () => {
    await open('one');
    await storage.commit([], endWhatWasUnderWay());
    expect(await ids()).toEqual([]);
    await open('two');
    opened.at(NOW - 2 * MINUTE);
    await storage.commit([], endWrongTimes(MINUTE));
    expect(await ids()).toEqual([]);
  });
});

interface Opening {
  readonly browser?: string;
  readonly sessionHash?: string | null;
  readonly on?: Storage;
  readonly limits?: VisitLimits;
}
