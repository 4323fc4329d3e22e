import { expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import type { Storage } from '../../src/storage/storage.ts';
import {
  burnChallenge,
  dropEndedChallenges,
  findChallenge,
  keepChallenge,
} from '../../src/storage/tables/challenges.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { describeOnBothStores } from './on_both.ts';

const BOB = '@bob:hs.example';
const MINUTE = 60_000;
const KEPT = { session: 'session hash', kind: 'key', userId: BOB, sealed: Buffer.from('question') };

async function turnOn(storage: Storage, kind: string, now: number): Promise<void> {
  const setupId = `set-up of ${kind}`;
  await storage.factors.beginSetup({
    id: setupId,
    userId: BOB,
    kind,
    name: kind,
    sealedSeed: Buffer.from('sealed'),
    tokenHash: 'token hash',
    expiresAt: now + MINUTE,
    failures: 0,
    replaces: [],
  });
  await storage.factors.activate({
    setupId,
    userId: BOB,
    authenticatorId: `the ${kind}`,
    foldedLocalpart: 'bob',
    sealedSeed: Buffer.from('sealed'),
    step: 0,
    wasOn: await storage.factors.isEnrolled(BOB),
    replaced: [],
    recovery: { salt: Buffer.alloc(16), pepperKeyId: 'k', hashes: ['hash'], tags: [1], generatedAt: now },
  });
}

describeOnBothStores('authenticators of several kinds', (opened) => {
  const turnOnBoth = async () => {
    for (const kind of ['totp', 'key']) await turnOn(opened.storage, kind, opened.clock.now());
  };

  test('each has the kind of its set-up', async () => {
    await turnOnBoth();
    const { factors } = opened.storage;
    expect(await factors.authenticators(BOB)).toHaveLength(2);
    expect(await factors.authenticators(BOB, 'key')).toMatchObject([{ id: 'the key', kind: 'key' }]);
    expect(await factors.authenticators(BOB, 'none')).toEqual([]);
  });

  test('2FA is on, and the recovery codes stay, as long as one of any kind is left', async () => {
    await turnOnBoth();
    const { factors } = opened.storage;
    await opened.storage.commit([BOB], countAttempt(BOB, 'elsewhere', LANE_RULES));
    expect(await factors.removeKind(BOB, 'totp')).toBe(1);
    expect(await factors.isEnrolled(BOB)).toBe(true);
    expect(await factors.recoverySet(BOB)).toBeDefined();
    expect(await opened.storage.read(lanesOf(BOB))).toHaveLength(1);

    expect(await factors.removeKind(BOB, 'totp')).toBe(0);
    expect(await factors.removeKind(BOB, 'key')).toBe(1);
    expect(await factors.isEnrolled(BOB)).toBe(false);
    expect(await factors.recoverySet(BOB)).toBeUndefined();
    expect(await opened.storage.read(lanesOf(BOB))).toEqual([]);
  });
});

describeOnBothStores('challenges', (opened) => {
  const keep = (sealed = KEPT.sealed) =>
    opened.storage.commit([], keepChallenge({ ...KEPT, sealed }, MINUTE));
  const find = (userId = BOB) => opened.storage.read(findChallenge(KEPT.session, KEPT.kind, userId));

  test('of 200 answers at once on two connections one has it', async () => {
    await keep();
    const other = await opened.openAnother();
    const answers = Array.from({ length: 200 }, (_, turn) =>
      (turn % 2 === 0 ? opened.storage : other).commit([], burnChallenge(KEPT.session, KEPT.kind, BOB)),
    );
    const won = (await Promise.all(answers)).filter((row) => row !== undefined);
    expect(won).toEqual([{ sealed: KEPT.sealed }]);
    expect(await find()).toEqual([]);
  });

  test('a session has one of each kind, and the newest counts', async () => {
    await keep();
    await keep(Buffer.from('newer'));
    expect(await find()).toEqual([{ sealed: Buffer.from('newer') }]);
  });

  test('one of another user, session or kind is not found', async () => {
    await keep();
    expect(await find('@eve:hs.example')).toEqual([]);
    for (const [session, kind] of [
      ['another', KEPT.kind],
      [KEPT.session, 'another'],
    ] as const) {
      expect(await opened.storage.commit([], burnChallenge(session, kind, BOB))).toBeUndefined();
    }
    expect(await find()).toHaveLength(1);
  });

  test('it ends by itself', async () => {
    await keep();
    opened.clock.advance(MINUTE);
    expect(await find()).toEqual([]);
    expect(await opened.storage.commit([], burnChallenge(KEPT.session, KEPT.kind, BOB))).toBeUndefined();
    expect(await opened.storage.commit([], dropEndedChallenges())).toBe(1);
  });
});
