import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  bindPassword,
  countSessionFailure,
  endFailedSession,
  finishSession,
  type SessionState,
  type StoredSession,
  stillStands,
} from '../../src/storage/tables/sessions.ts';
import { countSessions } from '../support/rows.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, MINUTE, NOW, raceOf, session, upTo } from './rows.ts';

describeOnBothStores('sessions', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('a session is found until its end, as it was kept', async () => {
    const full = session({
      idHash: 'full',
      tokenHash: 'token',
      flows: [['a', 'b'], ['c']],
      completed: ['a'],
      sealedBody: Buffer.from('body'),
      bodyDigest: 'digest',
      sealedPassword: Buffer.from('password'),
      sealedToken: Buffer.from('token'),
      deviceId: 'DEVICE',
      holdId: 'hold',
      pot: 'token',
      network: 'network',
      address: '192.0.2.1',
      failures: 2,
    });
    const bare = session({ idHash: 'bare' });
    await storage.sessions.open(full, upTo(10));
    await storage.sessions.open(bare, upTo(10));
    expect(await opened.at(full.expiresAt - 1).sessions.find('full')).toEqual(full);
    expect(await opened.at(NOW).sessions.find('bare')).toEqual(bare);
    expect(await opened.at(full.expiresAt).sessions.find('full')).toBeUndefined();
    expect(await opened.at(NOW).sessions.find('unknown')).toBeUndefined();
  });

  test('the newest live session of the same token and target is the same session again', async () => {
    const bound = (idHash: string, createdAt: number, expiresAt: number, target = 'one') =>
      storage.sessions.open(session({ idHash, tokenHash: 'token', target, createdAt, expiresAt }), upTo(99));
    await bound('old', NOW, NOW + 9 * MINUTE);
    await bound('new', NOW + 1, NOW + 5 * MINUTE);
    await bound('elsewhere', NOW + 2, NOW + 9 * MINUTE, 'two');
    await storage.sessions.open(session({ idHash: 'unbound', target: 'one', createdAt: NOW + 3 }), upTo(99));
    expect((await storage.sessions.findBound('token', 'one', null))?.idHash).toBe('new');
    expect((await opened.at(NOW + 5 * MINUTE).sessions.findBound('token', 'one', null))?.idHash).toBe('old');
    expect(await opened.at(NOW + 9 * MINUTE).sessions.findBound('token', 'one', null)).toBeUndefined();
    expect(await opened.at(NOW).sessions.findBound('other token', 'one', null)).toBeUndefined();
  });

  test('the session of a hold is found by the body that opened it', async () => {
    const open = (idHash: string, holdId: string, bodyDigest: string) =>
      storage.sessions.open(session({ idHash, holdId, bodyDigest }), upTo(99));
    await open('a', 'hold 1', 'body 1');
    await open('b', 'hold 1', 'body 2');
    await open('c', 'hold 2', 'body 1');
    expect((await storage.sessions.findOfHold('hold 1', ['body 2', 'body 3']))?.idHash).toBe('b');
    expect(await storage.sessions.findOfHold('hold 2', ['body 2'])).toBeUndefined();
    expect(await opened.at(NOW + 99 * MINUTE).sessions.findOfHold('hold 1', ['body 1'])).toBeUndefined();
  });

  test('"the same session again" is for the same body, and for an empty one', async () => {
    const bound = (idHash: string, createdAt: number, more: Partial<StoredSession>) =>
      storage.sessions.open(session({ idHash, tokenHash: 'token', createdAt, ...more }), upTo(99));
    const found = async (digest: string | null) =>
      (await storage.sessions.findBound('token', 'login v3', digest === null ? null : ['other', digest]))
        ?.idHash;
    await bound('of A', NOW, { bodyDigest: 'A' });
    await bound('of B', NOW + 1, { bodyDigest: 'B' });
    expect([await found('A'), await found('B'), await found('C'), await found(null)]).toEqual([
      'of A',
      'of B',
      undefined,
      'of B',
    ]);
    await bound('of none', NOW + 2, {});
    expect([await found('A'), await found('C'), await found(null)]).toEqual([
      'of none',
      'of none',
      'of none',
    ]);
    await storage.sessions.complete({ idHash: 'of none', completed: [], bodyDigest: null }, 'a');
    expect([await found('A'), await found('C'), await found(null)]).toEqual(['of A', undefined, 'of none']);
  });

  test('of equal sign-ins on one hold the one that is further is found', async () => {
    const open = (idHash: string, completed: string[]) =>
      storage.sessions.open(session({ idHash, holdId: 'hold', bodyDigest: 'body', completed }), upTo(99));
    await open('passed', ['a', 'b']);
    await open('refused', ['a']);
    expect((await storage.sessions.findOfHold('hold', ['body']))?.idHash).toBe('passed');
  });

  test.each([
    ['held login', { holdId: 'one' }, { holdId: 'two', userId: BOB }],
    ['token', { tokenHash: 'one', pot: 'token' }, { tokenHash: 'two', pot: 'token', userId: BOB }],
    ['user', {}, { userId: BOB }],
  ] as const)(
    'attacks 122, 138: of one %s the network with most loses its oldest sessions',
    async (_, mine, other) => {
      const limits = { perPot: 99, perUser: 3, perHoldOrToken: 3 };
      let turn = 0;
      const open = (network: string, scope: Partial<StoredSession>) => {
        turn += 1;
        const idHash = `${network} ${turn}`;
        return storage.sessions.open(session({ idHash, network, createdAt: NOW + turn, ...scope }), limits);
      };
      await open('home', mine);
      await open('elsewhere', other);
      for (let times = 0; times < 20; times += 1) await open('flood', mine);
      const kept = async (idHash: string) => (await storage.sessions.find(idHash)) !== undefined;
      expect(await countSessions(storage)).toBe(4);
      expect([await kept('home 1'), await kept('elsewhere 2')]).toEqual([true, true]);
      expect([await kept('flood 20'), await kept('flood 21'), await kept('flood 22')]).toEqual([
        false,
        true,
        true,
      ]);
    },
  );

  test('attack 138: pots do not crowd each other out', async () => {
    for (const pot of ['page', 'token', 'login'] as const) {
      for (let turn = 0; turn < 5; turn += 1) {
        const idHash = `${pot} ${turn}`;
        await storage.sessions.open(session({ idHash, pot, holdId: 'hold', createdAt: NOW + turn }), {
          perPot: 4,
          perUser: 99,
          perHoldOrToken: 2,
        });
      }
    }
    expect(await countSessions(storage)).toBe(6);
    await storage.sessions.open(session({ idHash: 'full', pot: 'page', holdId: null }), upTo(1));
    expect(await countSessions(storage)).toBe(5);
    expect(await storage.sessions.find('full')).toBeDefined();
  });

  test('attack 71: beyond the maximum the oldest sessions are dropped', async () => {
    for (const createdAt of [5, 1, 4, 2, 3]) {
      await storage.sessions.open(session({ idHash: `${createdAt}`, createdAt: NOW + createdAt }), upTo(3));
    }
    expect(await countSessions(storage)).toBe(3);
    const kept = await Promise.all(
      ['1', '2', '3', '4', '5'].map(async (id) => (await storage.sessions.find(id)) && id),
    );
    expect(kept).toEqual([undefined, undefined, '3', '4', '5']);
  });

  test('attack 138: beyond the maximum of a pot a fiftieth goes, of the users with most', async () => {
    const open = (idHash: string, userId: string, network = 'network') =>
      storage.sessions.open(session({ idHash, userId, network, createdAt: NOW + made++ }), upTo(200));
    let made = 0;
    await open('bob old', BOB);
    await open('alice elsewhere', ALICE, 'home');
    for (let turn = 0; turn < 100; turn += 1) await open(`alice ${turn}`, ALICE);
    for (let turn = 0; turn < 98; turn += 1) await open(`bob ${turn}`, BOB);
    expect(await countSessions(storage)).toBe(200);
    await open('the last', '@carol:hs');
    expect(await countSessions(storage)).toBe(197);
    const isKept = async (id: string) => (await storage.sessions.find(id)) !== undefined;
    // Alice had 101, Bob 99: two of hers go, and then one of each. Hers are of the network from which most are.
    const gone = ['alice 0', 'alice 1', 'alice 2', 'bob old'];
    expect(await Promise.all(gone.map(isKept))).toEqual([false, false, false, false]);
    const left = ['alice 3', 'alice elsewhere', 'bob 0', 'the last'];
    expect(await Promise.all(left.map(isKept))).toEqual([true, true, true, true]);
  });

  test('attack 71: 200 opened at once stay within the maximum', async () => {
    await raceOf(200, await replicasOf(opened), (one, index) =>
      one.sessions.open(session({ idHash: `${index}`, createdAt: NOW + index }), upTo(20)),
    );
    expect(await countSessions(storage)).toBe(20);
  });

  test('of 50 parallel completions of one stage exactly one is taken', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const taken = await raceOf(50, await replicasOf(opened), (one) =>
      one.sessions.complete({ idHash: 'one', completed: [], bodyDigest: null }, 'a'),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await storage.sessions.complete({ idHash: 'one', completed: [], bodyDigest: null }, 'b')).toBe(
      false,
    );
    expect(await storage.sessions.complete({ idHash: 'one', completed: ['b'], bodyDigest: null }, 'c')).toBe(
      false,
    );
    expect(await storage.sessions.complete({ idHash: 'one', completed: ['a'], bodyDigest: null }, 'b')).toBe(
      true,
    );
    expect((await storage.sessions.find('one'))?.completed).toEqual(['a', 'b']);
    expect(await storage.sessions.complete({ idHash: 'unknown', completed: [], bodyDigest: null }, 'a')).toBe(
      false,
    );
  });

  test('attack 46: only the first body is bound, also of 50 at once', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const bound = await raceOf(50, await replicasOf(opened), (one, index) =>
      one.sessions.bindBody('one', Buffer.from(`body ${index}`), `digest ${index}`),
    );
    expect(bound.filter(Boolean)).toHaveLength(1);
    expect(await storage.sessions.find('one')).toMatchObject({
      sealedBody: Buffer.from(`body ${bound.indexOf(true)}`),
      bodyDigest: `digest ${bound.indexOf(true)}`,
    });
  });

  test('attack 148: a stage that is done freezes the body, the empty one too', async () => {
    await storage.sessions.open(session({ idHash: 'empty' }), upTo(10));
    await storage.sessions.complete({ idHash: 'empty', completed: [], bodyDigest: null }, 'a');
    expect(await storage.sessions.bindBody('empty', Buffer.from('late'), 'late')).toBe(false);
    expect((await storage.sessions.find('empty'))?.sealedBody).toBeNull();
  });

  test('attack 148: no stage is done for another body than the one that was read', async () => {
    const read = { idHash: 'one', completed: [], bodyDigest: null };
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    expect(await storage.sessions.bindBody('one', null, 'digest')).toBe(true);
    expect(await storage.sessions.complete(read, 'a')).toBe(false);
    expect(await storage.sessions.complete({ ...read, bodyDigest: 'digest' }, 'a')).toBe(true);
    expect(await storage.sessions.bindBody('one', Buffer.from('body'), 'other')).toBe(false);
  });

  test('a password that was judged is bound', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    expect(await storage.commit([ALICE], bindPassword('one', Buffer.from('sealed')))).toBe(1);
    expect((await storage.sessions.find('one'))?.sealedPassword).toEqual(Buffer.from('sealed'));
    expect(await storage.commit([ALICE], bindPassword('unknown', Buffer.from('sealed')))).toBe(0);
  });

  test('failures are counted one by one, and none in a session that is gone', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const count = async (one: Storage, idHash: string) =>
      (await one.commit([ALICE], countSessionFailure(idHash)))?.failures ?? Number.NaN;
    const counts = await raceOf(50, await replicasOf(opened), (one) => count(one, 'one'));
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(await count(storage, 'unknown')).toBeNaN();
  });

  test('attack 181: a session still stands where it was read until a stage, a body or its end comes', async () => {
    const standsAt = async (state: SessionState) =>
      (await storage.commit([ALICE], stillStands(state))) !== undefined;
    const read = { idHash: 'one', completed: [], bodyDigest: null };
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    expect(await standsAt(read)).toBe(true);
    expect((await storage.sessions.find('one'))?.failures).toBe(0);
    await storage.sessions.bindBody('one', null, 'digest');
    expect(await standsAt(read)).toBe(false);
    const bound = { ...read, bodyDigest: 'digest' };
    await storage.sessions.complete(bound, 'a');
    expect(await standsAt(bound)).toBe(false);
    expect(await standsAt({ ...bound, completed: ['a'] })).toBe(true);
    await storage.sessions.end('one');
    expect(await standsAt({ ...bound, completed: ['a'] })).toBe(false);
  });

  test('attack 52: a session ends with the last failure that it has', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const fail = () =>
      storage.commit([ALICE], [countSessionFailure('one'), endFailedSession('one', 2)] as const);
    expect((await fail())[1]).toBe(0);
    expect((await fail())[1]).toBe(1);
    expect(await storage.sessions.find('one')).toBeUndefined();
  });

  test('attack 47: of 50 requests one finishes a session, in its time and where it was read', async () => {
    const done = { idHash: 'one', completed: ['a'], bodyDigest: null };
    await storage.sessions.open(session({ idHash: 'one', completed: ['a'] }), upTo(10));
    await storage.sessions.open(session({ idHash: 'late', completed: ['a'], expiresAt: 1 }), upTo(10));
    const finish = (state: SessionState, on: Storage = storage) => on.commit([ALICE], finishSession(state));
    expect(await finish({ ...done, completed: [] })).toBeUndefined();
    expect(await finish({ ...done, idHash: 'late' })).toBeUndefined();
    const finished = await raceOf(50, await replicasOf(opened), (one) => finish(done, one));
    expect(finished.filter((each) => each !== undefined)).toHaveLength(1);
  });

  test('attack 47: of 50 parallel ends of one session exactly one ended it', async () => {
    await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
    const ended = await raceOf(50, await replicasOf(opened), (one) => one.sessions.end('one'));
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(await storage.sessions.find('one')).toBeUndefined();
  });

  test('the sessions of one token of a user end together', async () => {
    const open = (idHash: string, userId: string, tokenHash: string | null) =>
      storage.sessions.open(session({ idHash, userId, tokenHash }), upTo(99));
    await open('a', ALICE, 'token 1');
    await open('b', ALICE, 'token 2');
    await open('c', ALICE, null);
    await open('d', BOB, 'token 1');
    await storage.sessions.endOfToken(ALICE, 'token 1');
    expect(await countSessions(storage)).toBe(3);
    expect(await storage.sessions.find('a')).toBeUndefined();
  });

  test('expired sessions are dropped', async () => {
    await storage.sessions.open(session({ idHash: 'a', expiresAt: NOW + 1 }), upTo(99));
    await storage.sessions.open(session({ idHash: 'b', expiresAt: NOW + 2 }), upTo(99));
    await opened.at(NOW + 1).sessions.dropExpired();
    expect(await countSessions(storage)).toBe(1);
    expect(await opened.at(NOW).sessions.find('b')).toBeDefined();
  });
});
