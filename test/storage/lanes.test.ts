import { expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import {
  dropOldPlaces,
  knownPlaces,
  knownPlacesAndLanes,
  rememberPlace,
} from '../../src/storage/tables/known_places.ts';
import {
  clampWait,
  countAttempt,
  dropIdleLanes,
  laneStanding,
  lanesOf,
  openShutLanes,
  takeAttemptBack,
} from '../../src/storage/tables/lanes.ts';
import { describeOnPooledStores } from './on_both.ts';

const BOB = '@bob:hs.example';
const LANE = 'elsewhere';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describeOnPooledStores('lanes and known places', (opened) => {
  const count = (on = opened.storage) => on.commit([BOB], countAttempt(BOB, LANE, LANE_RULES));
  const standing = async () => (await opened.storage.read(laneStanding(BOB, LANE, LANE_RULES)))[0];

  test('attack 145: of 200 attempts at once on two connections those before the wait are counted', async () => {
    const other = await opened.openAnother();
    const attempts = Array.from({ length: 200 }, (_, turn) => count(turn % 2 === 0 ? opened.storage : other));
    const counted = (await Promise.all(attempts)).flatMap((row) => row?.failures ?? []);
    expect(counted.toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(await standing()).toMatchObject({ failures: 5, waitMs: 30_000 });
  });

  test('attack 145: the budget ends, comes back, and is not refilled by what is taken back', async () => {
    for (let turn = 0; turn < 20; turn++) {
      expect(await count()).toBeDefined();
      opened.clock.advance(HOUR);
    }
    // 20 hours have brought 5 back.
    const [lane] = await opened.storage.read(lanesOf(BOB));
    expect(lane?.budget).toBeCloseTo(4.75, 5);
    await opened.storage.commit([BOB], takeAttemptBack(BOB, LANE, LANE_RULES));
    const [after] = await opened.storage.read(lanesOf(BOB));
    expect(after).toMatchObject({ failures: 0, waitUntil: 0 });
    expect(after?.budget).toBeCloseTo(5.75, 5);
  });

  test('attack 145: a wait from a clock that was ahead is the longest from now', async () => {
    opened.clock.advance(DAY);
    for (let turn = 0; turn < 5; turn++) await count();
    opened.clock.advance(-DAY);
    await opened.storage.commit([BOB], clampWait(BOB, LANE, LANE_RULES));
    expect(await standing()).toMatchObject({ waitMs: HOUR });
  });

  test('attack 145: a lane is shut after 100 failures, and is opened again', async () => {
    for (let turn = 0; turn < 100; turn++) {
      expect(await count()).toEqual({ failures: turn + 1 });
      opened.clock.advance(4 * HOUR);
    }
    expect(await count()).toBeUndefined();
    await opened.storage.commit([BOB], openShutLanes(BOB, LANE_RULES));
    expect(await count()).toEqual({ failures: 1 });
  });

  test('a known place is noted again an hour after it was, and after a clock was ahead', async () => {
    const use = async () =>
      (await opened.storage.commit([BOB], rememberPlace(BOB, { kind: 'browser', digest: 'b' }, 16)))[0];
    expect(await use()).toBe(1);
    opened.clock.advance(HOUR);
    expect(await use()).toBe(0);
    opened.clock.advance(1);
    expect(await use()).toBe(1);
    opened.clock.advance(-DAY);
    expect(await use()).toBe(1);
  });

  test('attack 145: of known places 16 of a kind are kept, for their time', async () => {
    for (let turn = 0; turn < 20; turn++) {
      const place = { kind: 'network', digest: `${turn}` } as const;
      await opened.storage.commit([BOB], rememberPlace(BOB, place, 16));
      opened.clock.advance(DAY);
    }
    await opened.storage.commit([BOB], rememberPlace(BOB, { kind: 'browser', digest: 'b' }, 16));
    const known = await opened.storage.read(knownPlaces(BOB, 90 * DAY));
    expect(known.map(({ digest }) => digest).toSorted()).toEqual(
      [...Array.from({ length: 16 }, (_, index) => `${index + 4}`), 'b'].toSorted(),
    );
    opened.clock.advance(80 * DAY);
    expect(await opened.storage.read(knownPlaces(BOB, 90 * DAY))).toHaveLength(10);
    expect(await opened.storage.commit([], dropOldPlaces(90 * DAY))).toBe(7);
  });

  test('places are found with how long ago they were used, and with the lanes of the user', async () => {
    await opened.storage.commit([BOB], rememberPlace(BOB, { kind: 'network', digest: 'n' }, 16));
    await count();
    const find = () => opened.storage.read(knownPlacesAndLanes(BOB, 90 * DAY));
    const lane = { kind: 'lane', digest: LANE, isFresh: 0 };
    opened.clock.advance(HOUR);
    expect(await find()).toEqual([{ kind: 'network', digest: 'n', isFresh: 1 }, lane]);
    opened.clock.advance(1);
    expect(await find()).toEqual([{ kind: 'network', digest: 'n', isFresh: 0 }, lane]);
    opened.clock.advance(-DAY);
    expect(await find()).toEqual([{ kind: 'network', digest: 'n', isFresh: 0 }, lane]);
  });

  test('attack 145: a lane without an attempt for long is dropped', async () => {
    await count();
    opened.clock.advance(DAY);
    expect(await opened.storage.commit([], dropIdleLanes(2 * DAY))).toBe(0);
    opened.clock.advance(DAY);
    expect(await opened.storage.commit([], dropIdleLanes(2 * DAY))).toBe(1);
  });
});
