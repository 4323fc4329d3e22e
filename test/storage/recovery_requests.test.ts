import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  approveRecovery,
  beginRecovery,
  endRecovery,
  findRecovery,
  findRunningRecovery,
  type NewRecoveryRequest,
} from '../../src/storage/tables/recovery_requests.ts';
import {
  countTime,
  dropAddressesOfEnded,
  dropOldRecoveries,
  listPointless,
  openRecovery,
  takeUseTold,
} from '../../src/storage/tables/recovery_rounds.ts';
import { askVoter, castVote, listVotes, shortenByVotes } from '../../src/storage/tables/recovery_votes.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, enrol, MINUTE } from './rows.ts';

describeOnBothStores('requests to recover an account, and votes on them', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const REQUEST: NewRecoveryRequest = {
    ...{ id: 'r1', userId: ALICE, begunFrom: '203.0.113.7', timeZone: null, absences: '[]' },
    ...{ waitMs: MINUTE, longestMs: MINUTE },
    claim: { salt: Buffer.alloc(16), pepperKeyId: 'k', hash: '00', tag: 0 },
  };
  const CANCELLED = { state: 'cancelled', by: 'sign_in', who: null, reason: null } as const;

  const begin = (id = 'r1') => storage.commit([ALICE], beginRecovery({ ...REQUEST, id }));
  const seen = async (id = 'r1') => (await storage.read(findRecovery(id)))[0];
  const require = async () => {
    const request = await seen();
    if (request === undefined) throw new Error('there is none');
    return request;
  };
  const asked = (voter: string) => ({
    ...{ id: `of ${voter}`, requestId: 'r1', userId: ALICE, voter },
    ...{ linkHash: voter, sealedLink: Buffer.from('sealed') },
  });

  test('without a factor none is begun, and of many at once one; what runs without one is found', async () => {
    expect(await begin()).toBeUndefined();
    await enrol(storage, ALICE);
    const begun = await Promise.all(['r1', 'r2', 'r3'].map((id) => begin(id)));
    expect(begun.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await storage.read(listPointless())).toEqual([]);
    await storage.factors.removeAllFactors(ALICE);
    const [running] = await storage.read(findRunningRecovery(ALICE));
    expect((await storage.read(listPointless())).map(({ id }) => id)).toEqual([running?.id]);
  });

  test('the same time is counted once, and it opens once, when it is counted', async () => {
    await enrol(storage, ALICE);
    await begin();
    const request = await require();
    expect(await storage.commit([ALICE], openRecovery('r1', MINUTE))).toBeUndefined();
    const counted = await Promise.all(
      [1, 2, 3].map(() => storage.commit([ALICE], countTime(request, MINUTE))),
    );
    expect(counted.filter((each) => each !== undefined)).toHaveLength(1);
    expect((await require()).countedMs).toBe(MINUTE);
    const both = await Promise.all([
      storage.commit([ALICE], openRecovery('r1', MINUTE)),
      storage.commit([ALICE], approveRecovery('r1', MINUTE)),
    ]);
    expect(both.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await storage.commit([ALICE], takeUseTold('r1'))).toBeUndefined();
  });

  test('the use of a device is told once, while it waits', async () => {
    await enrol(storage, ALICE);
    await begin();
    const told = await Promise.all([1, 2].map(() => storage.commit([ALICE], takeUseTold('r1'))));
    expect(told.filter((each) => each !== undefined)).toHaveLength(1);
  });

  test('one vote a voter; with 2FA, of their own, while it runs; enough shorten the wait once', async () => {
    await enrol(storage, ALICE);
    await begin();
    await storage.commit([ALICE], askVoter(asked(BOB)));
    const cast = (voter = BOB) =>
      storage.commit([ALICE, voter], castVote({ id: `of ${BOB}`, voter }, 'yes', 'met'));
    expect(await cast()).toBeUndefined();
    await enrol(storage, BOB);
    expect(await cast(ALICE)).toBeUndefined();
    expect(await storage.commit([ALICE], shortenByVotes('r1', 1, 1000))).toBeUndefined();
    const votes = await Promise.all([cast(), cast(), cast()]);
    expect(votes.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await storage.commit([ALICE], shortenByVotes('r1', 2, 1000))).toBeUndefined();
    expect(await storage.commit([ALICE], shortenByVotes('r1', 1, 1000))).toEqual({});
    expect(await storage.commit([ALICE], shortenByVotes('r1', 1, 1000))).toBeUndefined();
    expect((await require()).waitMs).toBe(1000);
    expect(await storage.read(listVotes('r1'))).toMatchObject([
      { voter: BOB, vote: 'yes', state: 'waiting' },
    ]);
    const again = storage.commit([ALICE], askVoter({ ...asked(BOB), id: 'again' }));
    expect(
      await again.then(
        () => 'asked twice',
        () => 'refused',
      ),
    ).toBe('refused');
    expect(await storage.read(listVotes('r1'))).toHaveLength(1);
  });

  test('no vote counts for one that has ended; its address goes first, then all of it', async () => {
    await enrol(storage, ALICE);
    await enrol(storage, BOB);
    await begin();
    await storage.commit([ALICE], askVoter(asked(BOB)));
    const ends = await Promise.all([1, 2].map(() => storage.commit([ALICE], endRecovery('r1', CANCELLED))));
    expect(ends.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await storage.commit([ALICE, BOB], castVote(asked(BOB), 'no', null))).toBeUndefined();
    await storage.commit([], dropAddressesOfEnded(MINUTE));
    expect((await require()).begunFrom).toBe('203.0.113.7');
    await storage.commit([], dropAddressesOfEnded(0));
    expect((await require()).begunFrom).toBeNull();
    await storage.commit([], dropOldRecoveries(MINUTE));
    expect(await seen()).toBeDefined();
    await storage.commit([], dropOldRecoveries(0));
    expect([await seen(), await storage.read(listVotes('r1'))]).toEqual([undefined, []]);
  });
});
