import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { PERSONALITIES } from '../guard/guarded.ts';
import { codeAt } from '../support/enrolment.ts';
import {
  type AccountApp,
  CONFIRM,
  dorasPassword,
  RECOVERY,
  RECOVERY_API,
  STATE,
  seedIn,
  startAccount,
  TOTP,
  TOTP_API,
  type TurnedOn,
} from './account.ts';

const DORA = '@dora:localhost';

/** A set-up that was begun, and what is needed to confirm it. */
interface Begun {
  readonly answer: JsonObject;
  confirm(more?: JsonObject): Promise<JsonObject>;
}

describe.each(PERSONALITIES)('authenticators that change, before %s', (personality) => {
  let it: AccountApp;
  let on: TurnedOn;
  beforeEach(async () => {
    it = await startAccount({ personality });
    on = await it.turnOn();
  });
  afterEach(() => it.app.stop());

  const authenticators = () => it.app.storage.factors.authenticators(DORA);
  const names = async () => (await authenticators()).map(({ name }) => name).sort();
  const remaining = async () => (await it.ask('GET', RECOVERY_API, it.dora)).json.remaining;
  const events = async () => (await it.app.storage.audit.list({ userId: DORA })).map(({ event }) => event);
  const takes = async (recoveryCode: string) => {
    const auth = dorasPassword(recoveryCode);
    return (await it.ask('POST', TOTP_API, it.dora, { name: 'tried', auth })).status === 200;
  };

  async function begin(more: JsonObject = {}): Promise<Begun> {
    const { status, json } = await it.ask('POST', TOTP_API, it.dora, {
      name: 'tablet',
      auth: dorasPassword(on.freshCode()),
      ...more,
    });
    expect(status).toBe(200);
    return {
      answer: json,
      async confirm(wanted = {}) {
        const token = codeAt(seedIn(json.seed), it.app.clock.now());
        const body = { setup_id: json.setup_id as string, token, ...wanted };
        return (await it.ask('POST', CONFIRM, it.dora, body)).json;
      },
    };
  }

  test('attack 216: a further authenticator leaves the saved recovery codes as they are', async () => {
    const further = await begin();
    expect(further.answer.recovery_codes).toBe('kept');
    expect(await further.confirm()).toEqual({
      authenticator_id: expect.any(String),
      recovery_codes: [],
    });
    expect(await names()).toEqual(['phone', 'tablet']);
    expect(await remaining()).toBe(10);
    expect(await takes(on.recoveryCodes[0] as string)).toBe(true);
    expect(await events()).not.toContain('recovery.regenerated');
  });

  test('a further authenticator with `recovery_codes: true` makes a new set; the old one is dead', async () => {
    const { recovery_codes: fresh } = await (await begin()).confirm({ recovery_codes: true });
    expect(fresh).toHaveLength(10);
    expect(await takes(on.recoveryCodes[0] as string)).toBe(false);
    expect(await takes((fresh as string[])[0] as string)).toBe(true);
    expect(await events()).toContain('recovery.regenerated');
  });

  test('`recovery_codes: false` makes no set for the first authenticator and keeps the codes of a further one', async () => {
    expect((await (await begin()).confirm({ recovery_codes: false })).recovery_codes).toEqual([]);
    expect(await remaining()).toBe(10);
    const off = await it.ask('DELETE', STATE, it.dora, { auth: dorasPassword(on.freshCode()) });
    expect(off.status).toBe(200);
    const first = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    expect(first.json.recovery_codes).toBe('new');
    const token = codeAt(seedIn(first.json.seed), it.app.clock.now());
    const body = { setup_id: first.json.setup_id as string, token, recovery_codes: false };
    expect((await it.ask('POST', CONFIRM, it.dora, body)).json.recovery_codes).toEqual([]);
    expect(await remaining()).toBe(0);
  });

  test('one replaces another: the old one stays until the confirmation, and goes with it', async () => {
    const replacing = await begin({ replaces: [on.authenticatorId] });
    expect(replacing.answer.recovery_codes).toBe('kept');
    expect(await names()).toEqual(['phone']);
    expect((await replacing.confirm()).recovery_codes).toEqual([]);
    expect(await names()).toEqual(['tablet']);
    expect(await remaining()).toBe(10);
    expect(await events()).toEqual(expect.arrayContaining(['totp.added', 'totp.removed']));
    const dead = await it.ask('DELETE', STATE, it.dora, { auth: dorasPassword(on.freshCode()) });
    expect(dead.status).toBe(401);
  });

  test('all are replaced: new recovery codes, and the old ones are dead', async () => {
    await (await begin()).confirm();
    const replacing = await begin({ name: 'key', replaces: 'all' });
    expect(replacing.answer.recovery_codes).toBe('new');
    const { recovery_codes: fresh } = await replacing.confirm();
    expect(fresh).toHaveLength(10);
    expect(await names()).toEqual(['key']);
    expect(await takes(on.recoveryCodes[0] as string)).toBe(false);
    expect(await takes((fresh as string[])[0] as string)).toBe(true);
  });

  test('all are replaced with `recovery_codes: false`: there are none afterwards', async () => {
    expect(
      (await (await begin({ replaces: 'all' })).confirm({ recovery_codes: false })).recovery_codes,
    ).toEqual([]);
    expect(await remaining()).toBe(0);
    expect(await events()).toContain('recovery.deleted');
  });

  test('an id that the user does not have is told before any challenge, and no code is spent', async () => {
    for (const replaces of [['unknown'], [on.authenticatorId, 'unknown']]) {
      const answer = await it.ask('POST', TOTP_API, it.dora, { replaces });
      expect([answer.status, answer.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    }
  });

  test('the authenticator to be replaced is removed meanwhile: the rest is done', async () => {
    await (await begin()).confirm();
    const replacing = await begin({ name: 'key', replaces: [on.authenticatorId] });
    const removed = await it.ask('DELETE', TOTP_API, it.dora, {
      authenticator_id: on.authenticatorId,
      auth: dorasPassword(on.freshCode()),
    });
    expect(removed.status).toBe(200);
    // A change of the factors ends what was begun under the old ones.
    expect((await replacing.confirm()).errcode).toBe('M_NOT_FOUND');
    expect(await names()).toEqual(['tablet']);
  });

  test('twenty at most, of which those that go do not count; the bound holds at the confirmation, too', async () => {
    for (let number = 2; number <= 20; number += 1) await (await begin({ name: `n${number}` })).confirm();
    const full = await it.ask('POST', TOTP_API, it.dora, {});
    expect([full.status, full.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    await (await begin({ name: 'instead', replaces: [on.authenticatorId] })).confirm();
    const left = await names();
    expect([left.length, left.includes('instead'), left.includes('phone')]).toEqual([20, true, false]);
  });

  test('attack 89: `DELETE /account/two-factor` needs code and password, and turns everything off', async () => {
    await (await begin()).confirm();
    const first = await it.ask('DELETE', STATE, it.dora, {});
    const flows = (first.json.flows as { stages: string[] }[]).map(({ stages }) => stages[0]);
    expect([first.status, flows]).toEqual([401, expect.arrayContaining([TOTP, RECOVERY])]);
    for (const auth of [dorasPassword(), { session: first.json.session as string }]) {
      expect((await it.ask('DELETE', STATE, it.dora, { auth })).status).toBe(401);
    }
    expect(await names()).toEqual(['phone', 'tablet']);
    const off = await it.ask('DELETE', STATE, it.dora, { auth: dorasPassword(on.freshCode()) });
    expect([off.status, off.json]).toEqual([200, {}]);
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual({ enabled: false, providers: {} });
    expect(await remaining()).toBe(0);
    expect(await events()).toContain('totp.disabled');
    const again = await it.ask('DELETE', STATE, it.dora, {});
    expect([again.status, again.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });
});
