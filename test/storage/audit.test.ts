import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { findHistory } from '../../src/storage/tables/audit.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, NOW } from './rows.ts';

describeOnBothStores('audit', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('lists the newest first, of all or of one user, as many as asked for', async () => {
    const line = (userId: string, event: string) => ({
      at: NOW,
      userId,
      event,
      address: '192.0.2.1',
      deviceId: null,
      detail: { position: 3, first: true, door: 'page' },
    });
    for (const [userId, event] of [
      [ALICE, 'one'],
      [BOB, 'two'],
      [ALICE, 'three'],
    ] as const) {
      await storage.audit.append(line(userId, event));
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
  const numbers = async (userId: string) =>
    (await storage.audit.list({ userId })).map(({ event, detail }) => `${event} ${detail.number}`);

  test('keeps the newest lines of one user and event, where there are to be so many', async () => {
    for (let number = 1; number <= 4; number += 1) {
      await storage.audit.append(entry(ALICE, 'kept', number));
      await storage.audit.append(entry(BOB, 'many', number), 9);
      await storage.audit.append(entry(ALICE, 'many', number), 2);
    }
    expect(await numbers(ALICE)).toEqual(['many 4', 'kept 4', 'many 3', 'kept 3', 'kept 2', 'kept 1']);
    expect(await numbers(BOB)).toHaveLength(4);
  });

  test('shows a history in which what is frequent pushes nothing else out', async () => {
    await storage.audit.append(entry(ALICE, 'rare', 1));
    await storage.audit.append(entry(BOB, 'rare', 9));
    for (let number = 1; number <= 5; number += 1) {
      await storage.audit.append(entry(ALICE, 'many', number));
      await storage.audit.append(entry(ALICE, 'often', number));
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
