import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { type Json, PASSWORD_STAGE, RECOVERY_STAGE } from '../../src/matrix/wire.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { HOUR, SECOND } from '../../src/system/clock.ts';
import { CodeSteps, type SentCode } from '../support/code_steps.ts';
import { codeAt, type Enrolled, enrol, wrongCode } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { testVault } from '../support/test_vault.ts';

const BOB = '@bob:hs';
const refused = expect.objectContaining({ is: 'refused' });
const accepted = expect.objectContaining({ is: 'passed' });
const wait = expect.objectContaining({ refusal: 'codes_wait', status: 429 });

let storage: Storage;
let clock: ManualClock;
let bob: Enrolled;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
  bob = await enrol({ store: storage.factors, vault: testVault(), clock }, BOB);
});

afterEach(() => storage.close());

/** A new one each time: nothing may hang on the process. */
const aCheck = () => new CodeSteps(storage, clock);

function presented(token: Json | undefined, changes: Partial<SentCode> = {}): SentCode {
  return { userId: BOB, token, ...changes };
}

const right = () => codeAt(bob.seed, clock.now());
const wrong = () => wrongCode(bob.seed, clock.now());

/** In one lane, or in all. */
async function failures(lane?: string): Promise<number> {
  const lanes = await storage.read(lanesOf(BOB));
  const counted = lanes.filter((each) => lane === undefined || each.lane === lane);
  return counted.reduce((sum, each) => sum + each.failures, 0);
}

async function failTimes(times: number, changes: Partial<SentCode> = {}): Promise<void> {
  for (let time = 0; time < times; time++) {
    expect(await aCheck().check(presented(wrong(), changes))).toEqual(refused);
  }
}

describe('judging', () => {
  test('a right code is accepted and put on record, with the lane and what it was', async () => {
    expect(await aCheck().check(presented(right(), { place: 'session', deviceId: 'PHONE' }))).toEqual(
      accepted,
    );
    expect(await aCheck().check(presented(bob.recoveryCodes[0], { stage: RECOVERY_STAGE }))).toEqual(
      accepted,
    );
    const address = '192.0.2.1';
    expect(await storage.audit.list({ userId: BOB })).toMatchObject([
      {
        event: 'recovery.used',
        address,
        deviceId: null,
        detail: { place: 'login', lane: 'place', position: 1, remaining: 2 },
      },
      {
        event: 'totp.used',
        address,
        deviceId: 'PHONE',
        detail: { place: 'session', lane: 'device', authenticator: bob.authenticatorId },
      },
    ]);
  });

  test.each([
    ['a number', 123456],
    ['zero', 0],
    ['an array', ['123456']],
    ['an object', { token: '123456' }],
    ['true', true],
    ['seven digits', '1234567'],
    ['a blank after it', '123456 '],
    ['full-width digits', '１２３４５６'],
  ])('attack 58: %s is refused and counted', async (_, token) => {
    expect(await aCheck().check(presented(token))).toEqual(refused);
    expect(await failures()).toBe(1);
  });

  test('attack 53: the right code 50 times at the same moment lets one in', async () => {
    const code = right();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => aCheck().check(presented(code))),
    );
    const verdicts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(verdicts.filter(({ is }) => is === 'passed')).toHaveLength(1);
  });

  test('attack 87: a wrong and a spent code are told the same', async () => {
    const code = right();
    await aCheck().check(presented(code));
    for (const refusedCode of [code, wrong()]) {
      expect(await aCheck().check(presented(refusedCode))).toEqual(refused);
    }
    expect(await failures()).toBe(2);
  });
});

describe('counting', () => {
  test('attack 55: after five wrong codes nothing is looked at, the right code neither', async () => {
    await failTimes(5);
    const code = right();
    await expect(aCheck().check(presented(code))).rejects.toMatchObject({ retryAfterMs: 30 * SECOND });
    expect(await failures()).toBe(5);
    clock.advance(30 * SECOND);
    expect(await aCheck().check(presented(code))).toEqual(accepted);
  });

  test('attack 55: the fifth may be the right one', async () => {
    await failTimes(4);
    expect(await aCheck().check(presented(right()))).toEqual(accepted);
    expect(await failures()).toBe(0);
  });

  test('attack 56: a password alone stops neither the live session nor a recovery code', async () => {
    await failTimes(5);
    expect(await aCheck().check(presented(right(), { place: 'session' }))).toEqual(accepted);
    await failTimes(5);
    const recovery = presented(bob.recoveryCodes[0], { stage: RECOVERY_STAGE });
    expect(await aCheck().check(recovery)).toEqual(accepted);
  });

  test('attack 77: of 200 wrong codes at the same moment five are judged, all of them recorded', async () => {
    const code = wrong();
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, () => aCheck().check(presented(code))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await failures()).toBe(5);
    const told = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(told).toHaveLength(195);
    for (const reason of told) expect(reason).toEqual(wait);
    expect(new Set(told.map((reason) => JSON.stringify((reason as Refusal).body()))).size).toBe(1);
  });

  test('attack 78: an attempt that breaks off before it is counted tells nothing of its code', async () => {
    const broken = new StoreUnavailable(new Error('disk full'));
    const commit = jest.spyOn(storage, 'commit').mockRejectedValue(broken);
    for (const code of [right(), wrong()]) {
      await expect(aCheck().check(presented(code))).rejects.toBe(broken);
    }
    commit.mockRestore();
    expect(await failures()).toBe(0);
    expect(await aCheck().check(presented(right()))).toEqual(accepted);
  });

  test('attack 79: a guesser over a year gets as many looks as the budget allows, until the lane is shut', async () => {
    let looks = 0;
    let refusal: string | undefined;
    for (let hour = 0; hour < 500 && refusal !== 'codes_shut'; hour++) {
      const outcome = await aCheck()
        .check(presented(wrong()))
        .catch((error: Refusal) => error);
      if (outcome instanceof Refusal) refusal = outcome.refusal;
      else looks += 1;
      clock.advance(HOUR);
    }
    expect(refusal).toBe('codes_shut');
    expect(looks).toBe(100);
    await expect(aCheck().check(presented(right()))).rejects.toMatchObject({ refusal: 'codes_shut' });
    const recovery = presented(bob.recoveryCodes[0], { stage: RECOVERY_STAGE });
    expect(await aCheck().check(recovery)).toEqual(accepted);
    expect(await aCheck().check(presented(right()))).toEqual(accepted);
  });

  test('attack 129: wrong recovery codes count in no lane, and cost no slow hash', async () => {
    const hash = jest.spyOn(RecoveryHasher.prototype, 'hash');
    for (let turn = 0; turn < 200; turn++) {
      const code = `${turn}`.padStart(12, 'z');
      expect(await aCheck().check(presented(code, { stage: RECOVERY_STAGE }))).toEqual(refused);
    }
    // One of 65,536 has the tag of one of three codes.
    expect(hash.mock.calls.length).toBeLessThanOrEqual(2);
    hash.mockRestore();
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
  });

  test('attack 80: an accepted code clears the wait of its own lane, and no other', async () => {
    await failTimes(4);
    await failTimes(4, { place: 'session', deviceId: 'PHONE' });
    expect(await aCheck().check(presented(right()))).toEqual(accepted);
    expect(await failures('elsewhere')).toBe(0);
    expect(await failures('device:PHONE')).toBe(4);
  });

  test('attack 93: wrong codes for a look-alike name count for that name only', async () => {
    await failTimes(5, { userId: '@bob.:hs' });
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
  });
});

describe('the session', () => {
  test('a step that is done, missing or out of order is not judged', async () => {
    const steps = aCheck();
    const session = await steps.open(presented(right()));
    expect(await steps.take(session, presented(undefined))).toEqual({ is: 'missing', session });
    const recovery = presented(bob.recoveryCodes[0], { stage: RECOVERY_STAGE });
    expect(await steps.take(session, recovery)).toEqual({ is: 'out_of_order', session });
    const done = { ...session, completed: [...session.completed, TOTP_STAGE] };
    expect(await steps.take(done, presented('000000'))).toEqual({ is: 'passed', session: done });
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
  });

  test('attack 52: the fifth wrong code ends it', async () => {
    const steps = aCheck();
    const session = await steps.open(presented(wrong()));
    for (let time = 1; time <= 5; time++) {
      const outcome = await steps.take(session, presented(wrong()));
      expect(outcome).toEqual({ is: 'refused', reason: 'wrong_code', session, isOver: time === 5 });
    }
    clock.advance(HOUR / 60);
    expect(await steps.take(session, presented(right()))).toEqual({ is: 'gone' });
  });

  test('attack 181: a code for a session that stands elsewhere by now is not spent, and counts nowhere', async () => {
    const steps = aCheck();
    const session = await steps.open(presented(right()));
    await steps.engine.complete(session, TOTP_STAGE);
    for (const token of [right(), wrong()]) {
      const outcome = await steps.take(session, presented(token));
      expect(outcome).toMatchObject({ is: 'passed', session: { completed: [PASSWORD_STAGE, TOTP_STAGE] } });
    }
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
    expect(await storage.audit.list({ userId: BOB })).toEqual([]);
    expect(await steps.check(presented(right()))).toEqual(accepted);
  });

  test('attack 181: a code for a session that has ended is not spent', async () => {
    const steps = aCheck();
    const session = await steps.open(presented(right()));
    await storage.sessions.end(session.idHash);
    expect(await steps.take(session, presented(right()))).toEqual({ is: 'gone' });
    expect(await steps.check(presented(right()))).toEqual(accepted);
  });
});
