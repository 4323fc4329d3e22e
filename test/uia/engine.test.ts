import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../src/matrix/refusals.ts';
import type { StoredSession } from '../../src/storage/tables/sessions.ts';
import { challengeOf } from '../../src/uia/challenge.ts';
import type { UiaEngine } from '../../src/uia/engine.ts';
import type { Session } from '../../src/uia/session.ts';
import { bindingOf, engineUnderTest, FAILURE_LIMIT, LIFETIME_MS } from './engine_under_test.ts';

const TOTP = 'm.login.2fa.totp';
const RECOVERY = 'm.login.2fa.recovery';
const PASSWORD = 'm.login.password';
const flows = [['m.login.sso'], [TOTP, PASSWORD], [RECOVERY, PASSWORD]];
const foreign = expect.objectContaining({ refusal: 'foreign_session', status: 403 });

/** Completes `stages` one after the other and answers with the last state. */
async function completeAll(engine: UiaEngine, session: Session, stages: string[]): Promise<Session> {
  let current = session;
  for (const stage of stages) {
    const completion = await engine.complete(current, stage);
    if (completion.outcome === 'gone') throw new Error('the session is gone');
    current = completion.session;
  }
  return current;
}

describe('opening', () => {
  test('the challenge says what the client needs, with all its keys', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    expect(challengeOf(session)).toEqual({
      session: expect.stringMatching(/^m2fa_[\w-]{27}$/),
      flows: [{ stages: ['m.login.sso'] }, { stages: [TOTP, PASSWORD] }, { stages: [RECOVERY, PASSWORD] }],
      params: {},
      completed: [],
    });
    const error = { errcode: 'M_FORBIDDEN', error: 'wrong code', refused: undefined };
    const { errcode, error: text } = error;
    const shown = { errcode, error: text, session: session.id, params: {} };
    expect(challengeOf(session, error)).toMatchObject(shown);
  });

  test('the store sees neither the id nor the body nor the password', async () => {
    const { engine, store } = engineUnderTest();
    const session = await engine.open(bindingOf(), {
      flows,
      body: { new_password: 'hunter2' },
      password: 'correct horse',
    });
    const [row] = store.rows.values();
    const kept = JSON.stringify(row, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    );
    for (const secret of [session.id, 'hunter2', 'correct horse']) expect(kept).not.toContain(secret);
  });

  test('at login the first stage is done already', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf({ tokenHash: null }), {
      flows: [[PASSWORD, TOTP]],
      completed: [PASSWORD],
    });
    expect(await engine.complete(session, TOTP)).toMatchObject({ outcome: 'completed' });
  });

  test.each([
    ['no flow', [], []],
    ['an empty flow', [[]], []],
    ['a stage twice in a flow', [[TOTP, TOTP]], []],
    ['something done that no flow begins with', [[TOTP, PASSWORD]], [PASSWORD]],
  ])('%s is a mistake of the caller', async (_, unusable: string[][], completed: string[]) => {
    const { engine } = engineUnderTest();
    await expect(engine.open(bindingOf(), { flows: unusable, completed })).rejects.toThrow(RangeError);
  });

  test('beyond the maximum the oldest are dropped', async () => {
    const { engine } = engineUnderTest(2);
    const [first, second, third] = [
      await engine.open(bindingOf(), { flows }),
      await engine.open(bindingOf(), { flows }),
      await engine.open(bindingOf(), { flows }),
    ];
    expect(await engine.find(first.id)).toBeUndefined();
    expect(await engine.find(second.id)).toBeDefined();
    expect(await engine.find(third.id)).toBeDefined();
  });
});

describe('resuming', () => {
  test('an unknown, an odd and an expired id are no session', async () => {
    const { engine, clock } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    expect(await engine.resume(bindingOf(), `m2fa_${'A'.repeat(27)}`)).toBeUndefined();
    expect(await engine.resume(bindingOf(), 'syn_XYZ')).toBeUndefined();
    clock.advance(LIFETIME_MS - 1);
    expect(await engine.resume(bindingOf(), session.id)).toBeDefined();
    clock.advance(1);
    expect(await engine.resume(bindingOf(), session.id)).toBeUndefined();
  });

  test('a session of a held login ends with it', async () => {
    const { engine, clock } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows, holdId: 'h', endsAt: clock.now() + 1000 });
    clock.advance(1000);
    expect(await engine.resume(bindingOf(), session.id)).toBeUndefined();
  });

  test.each([
    ['attack 44: another target', { target: 'DELETE /devices/B' }],
    ['attack 45: another user', { userId: '@eve:hs' }],
    ['attack 45: another token of the same user', { tokenHash: 'another hash' }],
    ['attack 45: no token at all', { tokenHash: null }],
  ])('%s is refused', async (_, changes) => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    await expect(engine.resume(bindingOf(changes), session.id)).rejects.toEqual(foreign);
  });

  test('a session bound to a token is not one of a login, and the other way round', async () => {
    const { engine } = engineUnderTest();
    const nobody = { target: 'POST /delete_devices', userId: null, tokenHash: null };
    const bound = await engine.open(bindingOf(), { flows });
    await expect(engine.resume(nobody, bound.id)).rejects.toEqual(foreign);
    const login = await engine.open(bindingOf({ tokenHash: null }), { flows });
    await expect(engine.resume(bindingOf(), login.id)).rejects.toEqual(foreign);
    expect(await engine.resume(nobody, login.id)).toMatchObject({ binding: { userId: '@bob:hs' } });
  });

  test('attack 46: a changed or larger body is refused, an empty one means the first', async () => {
    const { engine } = engineUnderTest();
    const body = { devices: ['A', 'B'], erase: false };
    const session = await engine.open(bindingOf(), { flows, body });
    for (const later of [undefined, {}, body, { erase: false, devices: ['A', 'B'] }, { erase: false }]) {
      expect(await engine.resume(bindingOf(), session.id, later)).toMatchObject({ body });
    }
    for (const later of [
      { devices: ['A'], erase: false },
      { devices: ['B', 'A'] },
      { erase: true },
      { erase: null },
      { ...body, new_password: 'x' },
    ]) {
      await expect(engine.resume(bindingOf(), session.id, later)).rejects.toEqual(foreign);
    }
  });

  test('attack 46: the first non-empty body binds, also when it comes late', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows, body: {} });
    expect(session.body).toBeUndefined();
    const bound = await engine.resume(bindingOf(), session.id, { devices: ['A'] });
    expect(bound?.body).toEqual({ devices: ['A'] });
    await expect(engine.resume(bindingOf(), session.id, { devices: ['B'] })).rejects.toEqual(foreign);
    expect((await engine.resume(bindingOf(), session.id))?.body).toEqual({ devices: ['A'] });
  });

  test('attack 46: of two first bodies at the same moment one binds', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    const results = await Promise.allSettled(
      ['A', 'B'].map((device) => engine.resume(bindingOf(), session.id, { devices: [device] })),
    );
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('attack 31: a login session does not go on with another device, user or type', async () => {
    const { engine } = engineUnderTest();
    const body = { type: PASSWORD, identifier: { type: 'm.id.user', user: 'bob' }, password: 'pw' };
    const login = { target: 'login v3', userId: null, tokenHash: null };
    const session = await engine.open(bindingOf({ target: 'login v3', tokenHash: null }), {
      flows: [[PASSWORD, TOTP]],
      completed: [PASSWORD],
      body,
    });
    expect(await engine.resume(login, session.id, body)).toBeDefined();
    for (const change of [{ device_id: 'VICTIM' }, { type: 'm.login.token' }, { user: 'eve' }]) {
      await expect(engine.resume(login, session.id, { ...body, ...change })).rejects.toEqual(foreign);
    }
  });

  test('keys that every object inherits are no repetition', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows, body: { devices: [] } });
    const odd = JSON.parse('{"constructor":{},"__proto__":{}}');
    await expect(engine.resume(bindingOf(), session.id, odd)).rejects.toBeInstanceOf(Refusal);
  });
});

describe('asking again without auth', () => {
  test('the same token and target get the same session, in the state it is in', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    await engine.complete(session, TOTP);
    const again = await engine.again(bindingOf());
    expect(again).toMatchObject({ id: session.id, completed: [TOTP] });
  });

  test.each([
    ['another target', { target: 'POST /account/password' }],
    ['another token', { tokenHash: 'another hash' }],
    ['another user', { userId: '@eve:hs' }],
    ['no token', { tokenHash: null }],
  ])('%s gets none', async (_, changes) => {
    const { engine } = engineUnderTest();
    await engine.open(bindingOf(), { flows });
    await engine.open(bindingOf({ tokenHash: null }), { flows });
    expect(await engine.again(bindingOf(changes))).toBeUndefined();
  });

  test('an equal or an empty body gets the same session, another one does not', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows, body: { devices: ['A'], x: 1 } });
    for (const body of [undefined, {}, { x: 1, devices: ['A'] }]) {
      expect(await engine.again(bindingOf(), body)).toMatchObject({ id: session.id });
    }
    for (const body of [{ devices: ['A'] }, { devices: ['B'], x: 1 }]) {
      expect(await engine.again(bindingOf(), body)).toBeUndefined();
    }
  });

  test('a body after an empty one gets the same session and binds it', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    expect(await engine.again(bindingOf(), { devices: ['A'] })).toMatchObject({ id: session.id });
    expect(await engine.again(bindingOf(), { devices: ['B'] })).toBeUndefined();
  });

  test('not after its lifetime, and not when it is dead', async () => {
    const { engine, clock, store } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    for (let failure = 0; failure < FAILURE_LIMIT; failure++) store.fail(session.idHash);
    expect(await engine.again(bindingOf())).toBeUndefined();
    await engine.open(bindingOf(), { flows });
    clock.advance(LIFETIME_MS);
    expect(await engine.again(bindingOf())).toBeUndefined();
  });

  test('an equal sign-in on the same held login gets its session', async () => {
    const { engine } = engineUnderTest();
    const body = { type: PASSWORD, password: 'pw' };
    const login = bindingOf({ target: 'login v3', tokenHash: null });
    const session = await engine.open(login, { flows, body, holdId: 'hold' });
    expect(await engine.ofHold('hold', { password: 'pw', type: PASSWORD })).toMatchObject({ id: session.id });
    expect(await engine.ofHold('hold', { ...body, device_id: 'X' })).toBeUndefined();
    expect(await engine.ofHold('other', body)).toBeUndefined();
  });
});

describe('stages', () => {
  test('attack 43: a stage before its turn is out of order and changes nothing', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    for (const stage of [PASSWORD, 'm.login.dummy', 'M.LOGIN.2FA.TOTP', '']) {
      expect(await engine.complete(session, stage)).toMatchObject({ outcome: 'out_of_order' });
    }
    expect(await engine.find(session.id)).toMatchObject({ completed: [] });
  });

  test('a finished stage is not done twice', async () => {
    const { engine } = engineUnderTest();
    const session = await completeAll(engine, await engine.open(bindingOf(), { flows }), [TOTP]);
    expect(await engine.complete(session, TOTP)).toEqual({ outcome: 'already', session });
  });

  test('a stage of another flow does not mix in', async () => {
    const { engine } = engineUnderTest();
    const session = await completeAll(engine, await engine.open(bindingOf(), { flows }), [RECOVERY]);
    expect(await engine.complete(session, TOTP)).toMatchObject({ outcome: 'out_of_order' });
    expect(await completeAll(engine, session, [PASSWORD])).toMatchObject({ completed: [RECOVERY, PASSWORD] });
  });

  test('many completions at the same moment count once', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    const completions = await Promise.all(Array.from({ length: 20 }, () => engine.complete(session, TOTP)));
    const outcomes = completions.map((completion) => completion.outcome);
    expect(outcomes.filter((outcome) => outcome === 'completed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'already')).toHaveLength(19);
    expect(await engine.find(session.id)).toMatchObject({ completed: [TOTP] });
  });

  test('two flows begun at the same moment: one of them', async () => {
    const { engine } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    const completions = await Promise.all([TOTP, RECOVERY].map((stage) => engine.complete(session, stage)));
    expect(completions.map((completion) => completion.outcome).sort()).toEqual(['completed', 'out_of_order']);
  });

  test('a session that ended meanwhile is gone', async () => {
    const { engine, store } = engineUnderTest();
    const session = await engine.open(bindingOf(), { flows });
    await store.end(session.idHash);
    expect(await engine.complete(session, TOTP)).toEqual({ outcome: 'gone' });
  });
});

describe('ending', () => {
  test('attack 47: a finished session finishes once, and is gone', async () => {
    const { engine } = engineUnderTest();
    const session = await completeAll(engine, await engine.open(bindingOf(), { flows }), [TOTP, PASSWORD]);
    expect(await engine.finish(session)).toBe(true);
    expect(await engine.finish(session)).toBe(false);
    expect(await engine.resume(bindingOf(), session.id)).toBeUndefined();
  });

  test('attack 30: of many finishers one finishes', async () => {
    const { engine } = engineUnderTest();
    const session = await completeAll(engine, await engine.open(bindingOf(), { flows }), [TOTP, PASSWORD]);
    const finishes = await Promise.all(Array.from({ length: 20 }, () => engine.finish(session)));
    expect(finishes.filter(Boolean)).toHaveLength(1);
  });

  test('not before every stage is done, and not after the lifetime', async () => {
    const { engine, clock } = engineUnderTest();
    const half = await completeAll(engine, await engine.open(bindingOf(), { flows }), [TOTP]);
    expect(await engine.finish(half)).toBe(false);
    const whole = await completeAll(engine, half, [PASSWORD]);
    clock.advance(LIFETIME_MS);
    expect(await engine.finish(whole)).toBe(false);
  });
});

describe('sealed values', () => {
  test('attack 83: a body copied into the password of the same row, or into another row, does not open', async () => {
    const { engine, store } = engineUnderTest();
    const bob = await engine.open(bindingOf(), { flows, body: { devices: ['A'] } });
    const eve = await engine.open(bindingOf({ userId: '@eve:hs' }), { flows, body: { devices: ['E'] } });
    const [bobs, eves] = [...store.rows.values()] as [StoredSession, StoredSession];
    store.rows.set(bob.idHash, { ...bobs, sealedPassword: bobs.sealedBody });
    await expect(engine.find(bob.id)).rejects.toThrow('does not open');
    store.rows.set(eve.idHash, { ...eves, sealedBody: bobs.sealedBody });
    await expect(engine.find(eve.id)).rejects.toThrow('does not open');
  });
});
