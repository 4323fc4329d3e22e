import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { NOW, raceOf, session, upTo } from './rows.ts';

describeOnBothStores('session leases', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('of 50 requests at once one has the lease, until it gives it back or its time is over', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const until = NOW + 1000;
    const taken = await raceOf(50, await replicasOf(opened), (one) => one.sessionLeases.take('one', until));
    expect(taken.filter(Boolean)).toHaveLength(1);
    await storage.sessionLeases.giveBack('one');
    expect(await storage.sessionLeases.take('one', until)).toBe(true);
    expect(await opened.at(until - 1).sessionLeases.take('one', until + 1000)).toBe(false);
    expect(await opened.at(until).sessionLeases.take('one', until + 1000)).toBe(true);
    expect(await opened.at(NOW).sessionLeases.take('unknown', until)).toBe(false);
  });

  test('what the homeserver asks for is kept as long as its session lives', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    await storage.sessionLeases.keepHomeserverStages('one', Buffer.from('no request has the lease'));
    expect(await storage.sessionLeases.homeserverStages('one')).toBeUndefined();
    await storage.sessionLeases.take('one', NOW + 1000);
    expect(await storage.sessionLeases.homeserverStages('one')).toBeUndefined();
    await storage.sessionLeases.keepHomeserverStages('one', Buffer.from('first'));
    await storage.sessionLeases.keepHomeserverStages('one', Buffer.from('second'));
    await storage.sessionLeases.giveBack('one');
    expect(await storage.sessionLeases.homeserverStages('one')).toEqual(Buffer.from('second'));
    await storage.sessions.end('one');
    expect(await storage.sessionLeases.homeserverStages('one')).toBeUndefined();
    expect(await storage.sessionLeases.take('one', NOW + 1000)).toBe(false);
  });
});
