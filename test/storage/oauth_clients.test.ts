import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  findClient,
  pruneClients,
  registerClient,
  useClient,
} from '../../src/storage/tables/oauth_clients.ts';
import { pruneGrants } from '../../src/storage/tables/oauth_grants.ts';
import { keepFirstKey, listKeys } from '../../src/storage/tables/oauth_keys.ts';
import { endOauthSessionsOf } from '../../src/storage/tables/oauth_sessions.ts';
import { keepDeviceGrantOf, keepSessionOf } from './oauth_rows.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, MINUTE, NOW, raceOf } from './rows.ts';

const DAY = 24 * 60 * MINUTE;

describeOnBothStores('clients that registered', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const register = async (clientId: string, most = 3, on = storage) => {
    const client = { clientId, metadata: JSON.stringify({ name: clientId }) };
    const [, , kept] = await on.commit([], registerClient(client, most));
    return kept;
  };
  const isThere = async (clientId: string) => (await storage.read(findClient(clientId))).length === 1;
  const areThere = async (...ids: string[]) => Promise.all(ids.map(isThere));

  test('are kept once, and their use moves on', async () => {
    expect(await register('a')).toEqual({ createdAt: NOW });
    opened.clock.set(NOW + DAY);
    expect(await register('a')).toEqual({ createdAt: NOW });
    const found = { clientId: 'a', metadata: '{"name":"a"}', createdAt: NOW, usedAt: NOW + DAY };
    expect(await storage.read(findClient('a'))).toEqual([found]);
    await opened.at(NOW + 2 * DAY).commit([], useClient('a'));
    expect(await storage.read(findClient('a'))).toEqual([{ ...found, usedAt: NOW + 2 * DAY }]);
  });

  test('attack 290: where there are most, the longest unused goes; one that is used never does', async () => {
    await register('session');
    await keepSessionOf(storage, { clientId: 'session' });
    await register('grant');
    await keepDeviceGrantOf(storage, { clientId: 'grant' });
    await register('idle');
    opened.clock.set(NOW + 1);
    expect(await register('idle')).toBeDefined();
    expect(await register('new')).toBeDefined();
    expect(await areThere('session', 'grant', 'idle', 'new')).toEqual([true, true, false, true]);
    await keepSessionOf(storage, { sessionId: 'other', accessHash: 'other', clientId: 'new' });
    expect(await register('late')).toBeUndefined();
    expect(await register('grant')).toBeDefined();
    expect(await areThere('session', 'grant', 'new', 'late')).toEqual([true, true, true, false]);
  });

  test('attack 290: registrations of one moment do not pass the limit together, and none takes the room of two', async () => {
    for (const id of ['kept', 'kept too']) {
      await register(id);
      await keepSessionOf(storage, { sessionId: id, accessHash: id, clientId: id });
    }
    const replicas = await replicasOf(opened);
    // Opens their connections, so that none waits for its own below.
    await raceOf(20, replicas, (one) => one.read(findClient('none')));
    const kept = await raceOf(40, replicas, (one, at) => register(`new ${at}`, 5, one));
    expect(kept.filter((each) => each === undefined)).toEqual([]);
    const ids = Array.from({ length: 40 }, (_, at) => `new ${at}`);
    expect((await areThere(...ids)).filter(Boolean)).toHaveLength(3);
    expect(await areThere('kept', 'kept too')).toEqual([true, true]);
  });

  test('those that no one uses go after their time', async () => {
    await register('session');
    await keepSessionOf(storage, { clientId: 'session' });
    await register('grant');
    await keepDeviceGrantOf(storage, { clientId: 'grant' });
    await register('idle');
    await opened.at(NOW + DAY - 1).commit([], pruneClients(DAY));
    expect(await isThere('idle')).toBe(true);
    await opened.at(NOW + DAY).commit([], pruneClients(DAY));
    // Its device grant has expired by then.
    expect(await areThere('session', 'grant', 'idle')).toEqual([true, false, false]);
    await storage.commit([ALICE], [endOauthSessionsOf(ALICE, { because: 'logout_all', logout: 'needless' })]);
    await storage.commit([], [...pruneGrants(), pruneClients(DAY)]);
    expect(await isThere('session')).toBe(false);
  });
});

describeOnBothStores('keys of ID tokens', (opened) => {
  test('one of those that are made at once is kept', async () => {
    const { storage } = opened;
    const made = (at: number) => ({ kid: `k${at}`, sealedKey: Buffer.from(`key ${at}`), publicJwk: '{}' });
    await raceOf(12, await replicasOf(opened), (one, at) => one.commit([], keepFirstKey(made(at))));
    const kept = await storage.read(listKeys());
    expect(kept).toHaveLength(1);
    await storage.commit([], keepFirstKey(made(99)));
    expect(await storage.read(listKeys())).toEqual(kept);
  });
});
