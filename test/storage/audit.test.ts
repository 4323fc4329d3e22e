import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { findHistory } from '../../src/storage/tables/audit.ts';
import { enter, record } from '../support/entries.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, NOW } from './rows.ts';

describeOnBothStores('audit', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('lists the newest first, of all or of one user, as many as asked for', async () => {
    const line = (userId: string, event: string) =>
      record({
        ...{ at: NOW, userId, event, address: '192.0.2.1', requestId: 'a request' },
        detail: { position: 3, first: true, door: 'page' },
      });
    for (const [userId, event] of [
      [ALICE, 'one'],
      [BOB, 'two'],
      [ALICE, 'three'],
    ] as const) {
      await enter(storage, line(userId, event));
    }
    expect(await storage.audit.list({ limit: 2 })).toEqual([line(ALICE, 'three'), line(BOB, 'two')]);
    expect(await storage.audit.list({ userId: ALICE })).toEqual([line(ALICE, 'three'), line(ALICE, 'one')]);
    expect(await storage.audit.list({})).toHaveLength(3);
  });

  const entry = (userId: string, event: string, number: number) => ({
    at: NOW,
    userId,
    event,
    address: null,
    deviceId: null,
    detail: { number },
  });
  test('shows a history in which what is frequent pushes nothing else out', async () => {
    await enter(storage, entry(ALICE, 'rare', 1));
    await enter(storage, entry(BOB, 'rare', 9));
    for (let number = 1; number <= 5; number += 1) {
      await enter(storage, entry(ALICE, 'many', number));
      await enter(storage, entry(ALICE, 'often', number));
    }
    const shown = async (lines: number) => {
      const extent = { lines, frequent: ['many', 'often', 'never'], ofEachFrequent: 2 };
      const rows = await storage.read(findHistory(ALICE, extent));
      return rows.map(({ event, detail }) => `${event} ${JSON.parse(detail).number}`);
    };
    expect(await shown(9)).toEqual(['often 5', 'many 5', 'often 4', 'many 4', 'rare 1']);
    expect(await shown(2)).toEqual(['often 5', 'many 5']);
  });
});
