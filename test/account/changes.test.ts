import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { PERSONALITIES } from '../guard/guarded.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';
import {
  type AccountApp,
  CONFIRM,
  DORAS_PASSWORD,
  dorasPassword,
  PASSWORD,
  RECOVERY,
  RECOVERY_API,
  STATE,
  seedIn,
  startAccount,
  TOTP,
  TOTP_API,
  type TurnedOn,
} from './account.ts';

/** Every change of factors of a user who has 2FA. */
const CHANGES = [
  ['adding an authenticator', 'POST', TOTP_API],
  ['turning 2FA off', 'DELETE', TOTP_API],
  ['turning everything off', 'DELETE', STATE],
  ['new recovery codes', 'POST', RECOVERY_API],
  ['no recovery codes', 'DELETE', RECOVERY_API],
] as const;

describe.each(PERSONALITIES)('before %s', (personality) => {
  let it: AccountApp;
  let on: TurnedOn;
  beforeEach(async () => {
    it = await startAccount({ personality });
    on = await it.turnOn();
    it.app.stub.clear();
  });
  afterEach(() => it.app.stop());

  const state = async () => (await it.ask('GET', STATE, it.dora)).json;
  const withCode = () => ({ auth: dorasPassword(on.freshCode()) });

  test.each(CHANGES)(
    'attack 89: %s needs code and password within one session; a stolen token can do none',
    async (_, method, target) => {
      const before = await state();
      const first = await it.ask(method, target, it.dora, {});
      const session = first.json.session as string;
      const flows = (first.json.flows as { stages: string[] }[]).map(({ stages }) => stages);
      expect([first.status, flows.slice(-2)]).toEqual([
        401,
        [
          [TOTP, PASSWORD],
          [RECOVERY, PASSWORD],
        ],
      ]);
      const tries: (JsonObject | null)[] = [
        { session },
        null,
        {},
        dorasPassword(),
        dorasPassword('', { session }),
        dorasPassword('000000'),
        { type: TOTP, session, token: '000000' },
      ];
      for (const auth of tries) expect((await it.ask(method, target, it.dora, { auth })).status).toBe(401);
      // The code of one session, the password of another.
      const half = await it.ask(method, target, it.dora, { auth: { type: TOTP, token: on.freshCode() } });
      expect(half.json.completed).toEqual([TOTP]);
      expect((await it.ask(method, target, it.dora, { auth: dorasPassword('', { session }) })).status).toBe(
        401,
      );
      // The half-proven session under another token, and for another change.
      const auth = dorasPassword('', { session: half.json.session as string });
      const other = it.app.stub.signIn('dora').token;
      expect((await it.ask(method, target, other, { auth })).status).toBe(403);
      for (const [, otherMethod, otherTarget] of CHANGES) {
        if (otherMethod === method && otherTarget === target) continue;
        expect((await it.ask(otherMethod, otherTarget, it.dora, { auth })).status).toBe(403);
      }
      const after = await state();
      expect({ ...after, providers: undefined }).toEqual({ ...before, providers: undefined });
      expect((after.providers as JsonObject)[RECOVERY]).toEqual((before.providers as JsonObject)[RECOVERY]);
      expect(it.app.stub.requestsBesideLookups()).toEqual([]);
      expect((await it.ask(method, target, it.dora, { auth })).status).toBe(200);
    },
  );

  test.each(CHANGES)(
    'attack 60: %s with a right code and a wrong password does nothing',
    async (_, method, target) => {
      const auth = { ...dorasPassword(), password: `wrong ${on.freshCode()}` };
      const answer = await it.ask(method, target, it.dora, { auth });
      expect([answer.status, answer.json.completed, answer.json.errcode]).toEqual([
        401,
        [TOTP],
        'M_FORBIDDEN',
      ]);
      expect(await it.app.storage.factors.isEnrolled('@dora:localhost')).toBe(true);
    },
  );

  test('attack 61: a recovery code turns 2FA off, once', async () => {
    const [code] = on.recoveryCodes as [string];
    const add = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword(code) });
    expect(add.status).toBe(200);
    const again = await it.ask('DELETE', TOTP_API, it.dora, { auth: dorasPassword(code) });
    expect(again.status).toBe(401);
    const [, second] = on.recoveryCodes as [string, string];
    const off = await it.ask('DELETE', TOTP_API, it.dora, { auth: dorasPassword(second) });
    expect([off.status, off.json]).toEqual([200, {}]);
    expect(await state()).toEqual({ enabled: false, providers: {} });
    const login = await it.app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
    expect(login.status).toBe(200);
    for (const method of ['POST', 'DELETE']) {
      const gone = await it.ask(method, RECOVERY_API, it.dora, withCode());
      expect([gone.status, gone.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    }
    expect((await it.ask('DELETE', TOTP_API, it.dora, withCode())).status).toBe(404);
  });

  test('attack 82: old recovery codes are dead once there are new ones, and the count is right', async () => {
    const renewed = await it.ask('POST', RECOVERY_API, it.dora, withCode());
    expect(renewed.status).toBe(200);
    const fresh = renewed.json.recovery_codes as string[];
    expect(fresh).toHaveLength(10);
    for (const old of on.recoveryCodes.slice(0, 3)) {
      const answer = await it.ask('DELETE', RECOVERY_API, it.dora, { auth: dorasPassword(old) });
      expect(answer.status).toBe(401);
    }
    const [first] = fresh as [string];
    expect((await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword(first) })).status).toBe(200);
    const { json } = await it.ask('GET', RECOVERY_API, it.dora);
    expect(json).toMatchObject({ remaining: 9, total: 10 });
    expect(JSON.stringify(json)).not.toContain(first);
  });

  test('without recovery codes their flow is gone, and 2FA stays on', async () => {
    expect((await it.ask('DELETE', RECOVERY_API, it.dora, withCode())).status).toBe(200);
    expect((await it.ask('GET', RECOVERY_API, it.dora)).json).toEqual({
      remaining: 0,
      total: 0,
      generated_at: null,
      codes: [],
    });
    const { json } = await it.ask('POST', RECOVERY_API, it.dora, {});
    expect(JSON.stringify(json.flows)).not.toContain(RECOVERY);
    expect((await state()).enabled).toBe(true);
  });

  test('several authenticators: each works, one can go, the last one gone is off', async () => {
    it.app.clock.advance(30_000);
    const second = await it.turnOn(codeAt(on.seed, it.app.clock.now()));
    const authenticators = await it.app.storage.factors.authenticators('@dora:localhost');
    expect(authenticators.map(({ id }) => id)).toEqual([on.authenticatorId, second.authenticatorId]);

    const unknown = await it.ask('DELETE', TOTP_API, it.dora, {
      authenticator_id: 'unknown',
      auth: dorasPassword(second.freshCode()),
    });
    expect([unknown.status, unknown.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    const one = await it.ask('DELETE', TOTP_API, it.dora, {
      authenticator_id: on.authenticatorId,
      auth: dorasPassword(codeAt(second.seed, it.app.clock.now())),
    });
    expect(one.status).toBe(200);
    // Its codes are dead with it.
    const dead = await it.ask('DELETE', TOTP_API, it.dora, { auth: dorasPassword(on.freshCode()) });
    expect(dead.status).toBe(401);
    const last = await it.ask('DELETE', TOTP_API, it.dora, {
      authenticator_id: second.authenticatorId,
      auth: dorasPassword(second.freshCode()),
    });
    expect(last.status).toBe(200);
    expect(await state()).toEqual({ enabled: false, providers: {} });
  });

  test('attack 46: another authenticator in the last request is refused', async () => {
    it.app.clock.advance(30_000);
    const second = await it.turnOn(codeAt(on.seed, it.app.clock.now()));
    const body = { authenticator_id: on.authenticatorId };
    const half = await it.ask('DELETE', TOTP_API, it.dora, {
      ...body,
      auth: { type: TOTP, token: second.freshCode() },
    });
    const auth = dorasPassword('', { session: half.json.session as string });
    const swapped = await it.ask('DELETE', TOTP_API, it.dora, {
      authenticator_id: second.authenticatorId,
      auth,
    });
    expect([swapped.status, swapped.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect((await it.ask('DELETE', TOTP_API, it.dora, { auth })).status).toBe(200);
    const left = await it.app.storage.factors.authenticators('@dora:localhost');
    expect(left.map(({ id }) => id)).toEqual([second.authenticatorId]);
  });

  test('attack 84: a re-enrolment that is begun, abandoned or fails leaves the live authenticator as it was', async () => {
    const before = await it.app.storage.factors.authenticators('@dora:localhost');
    const setup = await it.ask('POST', TOTP_API, it.dora, withCode());
    expect(setup.status).toBe(200);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const body = { setup_id: setup.json.setup_id as string, token: '000000' };
      expect((await it.ask('POST', CONFIRM, it.dora, body)).status).toBe(403);
    }
    const [now] = await it.app.storage.factors.authenticators('@dora:localhost');
    expect({ ...now, lastStep: 0, lastUsedAt: 0 }).toEqual({ ...before[0], lastStep: 0, lastUsedAt: 0 });
    const recovery = await it.app.storage.factors.recoverySet('@dora:localhost');
    expect(recovery?.codes.filter(({ usedAt }) => usedAt === null)).toHaveLength(10);
    // The pending one never counts as a factor.
    const pending = codeAt(seedIn(setup.json.seed), it.app.clock.now());
    expect((await it.ask('DELETE', RECOVERY_API, it.dora, { auth: dorasPassword(pending) })).status).toBe(
      401,
    );
    expect((await it.ask('DELETE', RECOVERY_API, it.dora, withCode())).status).toBe(200);
  });

  test('attack 86: no answer ever shows a live secret, a link to it, or a code that was shown before', async () => {
    const answers = [
      await it.ask('GET', STATE, it.dora),
      await it.ask('GET', RECOVERY_API, it.dora),
      await it.ask('POST', TOTP_API, it.dora, {}),
      await it.ask('POST', TOTP_API, it.dora, withCode()),
      await it.ask('POST', RECOVERY_API, it.dora, withCode()),
      await it.ask('GET', STATE, it.dora),
      await it.ask('GET', STATE, it.eve),
    ];
    const secrets = [
      base32(on.seed),
      on.seed.toString('hex'),
      on.seed.toString('base64'),
      ...on.recoveryCodes,
      ...on.recoveryCodes.map((code) => code.replaceAll('-', '')),
    ];
    for (const { text } of answers) for (const secret of secrets) expect(text).not.toContain(secret);
    expect(answers[0]?.text).not.toContain('otpauth');
    expect(answers[6]?.json).toEqual({ enabled: false, providers: {} });
  });

  test('of many removals by one session at the same moment one is done', async () => {
    const half = await it.ask('POST', RECOVERY_API, it.dora, { auth: { type: TOTP, token: on.freshCode() } });
    const auth = dorasPassword('', { session: half.json.session as string });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => it.ask('POST', RECOVERY_API, it.dora, { auth })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]));
  });

  test('attack 52: passwords guessed at the same moment in one session are judged one by one, five in all', async () => {
    const half = await it.ask('DELETE', TOTP_API, it.dora, { auth: { type: TOTP, token: on.freshCode() } });
    const session = half.json.session as string;
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        it.app.call({
          method: 'DELETE',
          target: TOTP_API,
          token: it.dora,
          json: { auth: { type: PASSWORD, session, password: `guess ${index}` } },
        }),
      ),
    );
    const judged = it.app.stub.requestsTo('delete_devices').filter(({ json }) => json?.auth !== undefined);
    expect(judged.length).toBeLessThanOrEqual(5);
  });
});

function base32(seed: Buffer): string {
  const bits = [...seed].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)])
    .join('');
}
