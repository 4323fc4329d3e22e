import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  type Ending,
  endOauthSession,
  endOauthSessionOfAccess,
  endOauthSessionsOf,
  endOauthSessionsOfDevice,
  findAnyOauthSession,
  findOauthSession,
  findOauthSessionOfAccess,
  finishOauthLogout,
  freeOauthLogouts,
  giveBackOauthRefresh,
  leaseOauthLogouts,
  leaseOauthRefresh,
  listOauthSessions,
  postponeOauthLogout,
  pruneOauthSessions,
  rotateOauthSession,
} from '../../src/storage/tables/oauth_sessions.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { keepSessionOf } from './oauth_rows.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, MINUTE, NOW, raceOf } from './rows.ts';

const DAY = 24 * 60 * MINUTE;
const DUE: Ending = { because: 'revoked', logout: 'due' };
const NEEDLESS: Ending = { because: 'homeserver', logout: 'needless' };

describeOnBothStores('OAuth sessions', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const keep = (sessionId: string, userId = ALICE, deviceId = 'DEVICE') =>
    keepSessionOf(storage, { sessionId, userId, deviceId, accessHash: `access of ${sessionId}` });
  const find = async (id = 'session') => (await storage.read(findOauthSession(id)))[0];
  const ofAccess = async (hash: string) => (await storage.read(findOauthSessionOfAccess(hash)))[0]?.sessionId;
  const ids = async (userId = ALICE) =>
    (await storage.read(listOauthSessions(userId))).map(({ sessionId }) => sessionId);
  const rotation = (presented: string, next: string, access = 'access') =>
    rotateOauthSession({
      ...{ sessionId: 'session', presentedHash: presented, nextHash: next, accessHash: access },
      ...{ sealedTokens: Buffer.from(`tokens ${next}`), sealedAnswer: Buffer.from(`answer ${next}`) },
    });
  const rotate = (presented: string, next: string, access?: string, on = storage) =>
    on.commit([ALICE], rotation(presented, next, access));
  const lease = async (limit = 9) =>
    (await storage.commit([], leaseOauthLogouts(opened.clock.now() + MINUTE, limit)))
      .map(({ sessionId, attempts }) => `${sessionId} ${attempts}`)
      .toSorted();

  test('of 50 refreshes with the same token one wins', async () => {
    await keepSessionOf(storage);
    const replicas = await replicasOf(opened);
    opened.clock.set(NOW + MINUTE);
    const won = await raceOf(50, replicas, (one, at) => rotate('refresh 1', `next ${at}`, 'access', one));
    expect(won.filter((each) => each !== undefined)).toHaveLength(1);
    const next = `next ${won.findIndex((each) => each !== undefined)}`;
    const rotated = { refreshHash: next, previousHash: 'refresh 1', rotatedAt: NOW + MINUTE };
    expect(await find()).toMatchObject({ ...rotated, sealedAnswer: Buffer.from(`answer ${next}`) });
    expect(await rotate('refresh 1', 'again')).toBeUndefined();
    expect(await rotate(next, 'third')).toBeDefined();
  });

  test('are found by the access token, and by the one before it', async () => {
    await keepSessionOf(storage);
    expect(await ofAccess('access')).toBe('session');
    await rotate('refresh 1', 'refresh 2', 'access 2');
    expect(await Promise.all(['access', 'access 2'].map(ofAccess))).toEqual(['session', 'session']);
    await rotate('refresh 2', 'refresh 3', 'access 2');
    expect(await ofAccess('access')).toBe('session');
    await rotate('refresh 3', 'refresh 4', 'access 3');
    const found = await Promise.all(['access', 'access 2', 'access 3'].map(ofAccess));
    expect(found).toEqual([undefined, 'session', 'session']);
    expect(await storage.commit([ALICE], endOauthSessionOfAccess('access 2', DUE))).toBeDefined();
    expect(await ofAccess('access 3')).toBeUndefined();
  });

  test('one request at a time refreshes at the homeserver', async () => {
    await keepSessionOf(storage);
    const take = () => storage.commit([], leaseOauthRefresh('session', 'refresh 1', MINUTE));
    expect([await take(), await take()]).toEqual([expect.anything(), undefined]);
    await storage.commit([], giveBackOauthRefresh('session', 'refresh 1'));
    expect(await take()).toBeDefined();
    opened.clock.set(NOW + MINUTE);
    expect(await take()).toBeDefined();
    await rotate('refresh 1', 'refresh 2');
    expect(await take()).toBeUndefined();
    expect((await find())?.leasedUntil).toBe(0);
  });

  test('end once, and neither rotate nor stand for a token then', async () => {
    await keepSessionOf(storage);
    await rotate('refresh 1', 'refresh 2');
    const ended = await raceOf(10, await replicasOf(opened), (one) =>
      one.commit([ALICE], endOauthSession('session', DUE)),
    );
    const won = ended.filter((each) => each !== undefined);
    expect(won).toEqual([{ userId: ALICE, deviceId: 'DEVICE', clientId: 'client' }]);
    expect(await find()).toMatchObject({ endedAt: NOW, endedBecause: 'revoked', sealedAnswer: null });
    expect(await rotate('refresh 2', 'refresh 3')).toBeUndefined();
    expect(await ofAccess('access')).toBeUndefined();
    expect(await storage.read(findAnyOauthSession())).toEqual([]);
    expect(await storage.commit([ALICE], endOauthSessionOfAccess('access', DUE))).toBeUndefined();
  });

  test('end with their user, or their device, and no others do', async () => {
    await keep('a');
    await keep('b', ALICE, 'OTHER');
    await keep('c', BOB);
    expect(await storage.read(findAnyOauthSession())).toHaveLength(1);
    await storage.commit([ALICE], endOauthSessionsOfDevice(ALICE, 'DEVICE', NEEDLESS));
    expect([await ids(), await ids(BOB)]).toEqual([['b'], ['c']]);
    await storage.commit([ALICE], endOauthSessionsOf(ALICE, NEEDLESS));
    expect([await ids(), await ids(BOB)]).toEqual([[], ['c']]);
    expect((await find('a'))?.sealedTokens).toBeNull();
    expect(await lease()).toEqual([]);
  });

  test('those to be logged out are leased to one sweep, until that is done', async () => {
    for (const id of ['a', 'b', 'c']) await keep(id);
    await storage.commit([ALICE], endOauthSessionsOf(ALICE, DUE));
    const [one, other] = await replicasOf(opened);
    const sweep = (on: Storage) => on.commit([], leaseOauthLogouts(NOW + MINUTE, 9));
    const both = (await Promise.all([sweep(one), sweep(other)])).flat();
    expect(both.map(({ sessionId }) => sessionId).toSorted()).toEqual(['a', 'b', 'c']);
    expect(both[0]?.sealedTokens).toEqual(Buffer.from('tokens'));
    await storage.commit([], [finishOauthLogout('a'), postponeOauthLogout('b', NOW + DAY)]);
    opened.clock.set(NOW + MINUTE);
    expect(await lease()).toEqual(['c 2']);
    expect((await find('a'))?.sealedTokens).toBeNull();
    // A clock that was ahead, and a database that comes from a backup.
    await storage.commit([], endWrongTimes(MINUTE));
    expect(await lease()).toEqual(['b 2']);
    await storage.commit([], freeOauthLogouts());
    expect(await lease()).toEqual(['b 3', 'c 3']);
  });

  test('are removed 30 days after their end, not before their logout, and never while they live', async () => {
    for (const id of ['live', 'ended', 'due']) await keep(id);
    await storage.commit([ALICE], [endOauthSession('ended', NEEDLESS), endOauthSession('due', DUE)]);
    await opened.at(NOW + 30 * DAY - 1).commit([], pruneOauthSessions());
    expect(await find('ended')).toBeDefined();
    await opened.at(NOW + 30 * DAY).commit([], pruneOauthSessions());
    expect(await Promise.all(['live', 'ended', 'due'].map(find))).toEqual([
      expect.objectContaining({ sessionId: 'live' }),
      undefined,
      expect.objectContaining({ sessionId: 'due' }),
    ]);
  });
});
