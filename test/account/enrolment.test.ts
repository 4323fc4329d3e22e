import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
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
} from './account.ts';

const OFF = { enabled: false, providers: {} };

describe.each(PERSONALITIES)('before %s', (personality) => {
  let it: AccountApp;
  beforeEach(async () => {
    it = await startAccount({ personality });
  });
  afterEach(() => it.app.stop());

  const upstream = () => it.app.stub.requestsBesideLookups();

  test('set-up, confirmation, state: 2FA is on, and the homeserver heard of nothing', async () => {
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);
    const setup = await it.ask('POST', TOTP_API, it.dora, { name: 'phone', auth: dorasPassword() });
    expect(setup.status).toBe(200);
    expect(setup.json).toMatchObject({
      seed: expect.stringMatching(/^[A-Z2-7]{32}$/),
      params: { type: 'm.totp.v1.rfc6238-sha1', step: 30, size: 6 },
      expires_ts: it.app.clock.now() + 600_000,
    });
    expect(setup.json.uri).toContain(`secret=${String(setup.json.seed)}`);
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);

    const token = codeAt(seedIn(setup.json.seed), it.app.clock.now());
    const confirmed = await it.ask('POST', CONFIRM, it.dora, {
      setup_id: setup.json.setup_id as string,
      token,
    });
    expect(confirmed.json.recovery_codes).toHaveLength(10);
    const state = (await it.ask('GET', STATE, it.dora)).json;
    const now = it.app.clock.now();
    expect(state).toEqual({
      enabled: true,
      providers: {
        [TOTP]: {
          authenticators: [
            {
              id: confirmed.json.authenticator_id,
              name: 'phone',
              enabled_at: now,
              last_used_at: null,
            },
          ],
        },
        [RECOVERY]: expect.objectContaining({ remaining: 10, total: 10, generated_at: now }),
      },
    });
    expect(upstream()).toEqual([]);
    const login = await it.app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
    expect([login.status, login.json.access_token]).toEqual([401, undefined]);
  });

  test('attack 59: a set-up without its first code, or with a wrong one, turns nothing on', async () => {
    const setup = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const setupId = setup.json.setup_id as string;
    const right = codeAt(seedIn(setup.json.seed), it.app.clock.now());
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const token = right === '000000' ? '111111' : '000000';
      const wrong = await it.ask('POST', CONFIRM, it.dora, { setup_id: setupId, token });
      expect([wrong.status, wrong.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    }
    const late = await it.ask('POST', CONFIRM, it.dora, { setup_id: setupId, token: right });
    expect([late.status, late.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);
    const login = await it.app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
    expect(login.status).toBe(200);
  });

  test('attack 59: another token of the same user, or another user, cannot confirm it; nor after its time', async () => {
    const setup = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const seed = seedIn(setup.json.seed);
    const confirm = (token: string) =>
      it.ask('POST', CONFIRM, token, {
        setup_id: setup.json.setup_id as string,
        token: codeAt(seed, it.app.clock.now()),
      });
    for (const token of [it.app.stub.signIn('dora').token, it.eve]) {
      const answer = await confirm(token);
      expect([answer.status, answer.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    }
    it.app.clock.advance(600_000);
    expect((await confirm(it.dora)).status).toBe(404);
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);
  });

  test('attack 59: a second start replaces the pending one', async () => {
    const first = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const second = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const confirm = ({ json }: typeof first) =>
      it.ask('POST', CONFIRM, it.dora, {
        setup_id: json.setup_id as string,
        token: codeAt(seedIn(json.seed), it.app.clock.now()),
      });
    expect((await confirm(first)).status).toBe(404);
    expect((await confirm(second)).status).toBe(200);
    // Confirmed once.
    expect((await confirm(second)).status).toBe(404);
  });

  test('a confirmation that found no room for its hashes, or died, leaves the set-up to the next', async () => {
    const { json } = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const id = json.setup_id as string;
    const body = { setup_id: id, token: codeAt(seedIn(json.seed), it.app.clock.now()) };
    const hash = jest.spyOn(RecoveryHasher.prototype, 'hash');
    hash.mockRejectedValueOnce(new Refusal('limit_exceeded', { limit: 'hashes', retryAfterMs: 1000 }));
    expect((await it.ask('POST', CONFIRM, it.dora, body)).status).toBe(429);
    hash.mockRestore();
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);
    // As a process leaves it that dies between taking it and the end.
    await it.app.storage.factors.takeSetup(id, it.app.clock.now() + 30_000);
    const meanwhile = await it.ask('POST', CONFIRM, it.dora, body);
    expect(meanwhile.status).toBe(429);
    expect(meanwhile.json.retry_after_ms).toBe(1000);
    it.app.clock.advance(30_000);
    expect((await it.ask('POST', CONFIRM, it.dora, body)).status).toBe(200);
  });

  test('attack 60: with an access token alone nothing is set up, and a wrong password is told wrong', async () => {
    const first = await it.ask('POST', TOTP_API, it.dora, {});
    expect(first.status).toBe(401);
    const flows = (first.json.flows as { stages: string[] }[]).map(({ stages }) => stages);
    expect(flows.at(-1)).toEqual([PASSWORD]);
    const session = first.json.session as string;
    const tries = [
      { session },
      {},
      null,
      dorasPassword('', { password: 'wrong', session }),
      dorasPassword('', { password: '', session }),
      { type: PASSWORD, password: 'eves password', session },
    ];
    for (const auth of tries) {
      const answer = await it.ask('POST', TOTP_API, it.dora, { auth });
      expect(answer.status).toBe(401);
      expect(answer.json.seed).toBeUndefined();
    }
    const others = await it.ask('POST', TOTP_API, it.dora, {
      auth: { type: PASSWORD, user: 'eve', password: 'eves password' },
    });
    expect([others.status, others.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect(upstream()).toEqual([]);
  });

  test('attack 103: a set-up under the own token takes no one else by name', async () => {
    for (const named of [{ user: '@eve:localhost' }, { identifier: { type: 'm.id.user', user: 'eve' } }]) {
      const auth = { type: PASSWORD, password: 'eves password', ...named };
      const answer = await it.ask('POST', TOTP_API, it.dora, { auth });
      expect(answer.status).toBe(403);
    }
    expect(upstream()).toEqual([]);
  });

  test('attack 85: a secret that the client brings is refused', async () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    for (const key of ['seed', 'secret', 'uri', 'params']) {
      const answer = await it.ask('POST', TOTP_API, it.dora, { [key]: secret, auth: dorasPassword() });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    }
    const { json } = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    const token = codeAt(seedIn(secret), it.app.clock.now());
    for (const more of [{ seed: secret }, { secret }]) {
      const body = { setup_id: json.setup_id as string, token, ...more };
      expect((await it.ask('POST', CONFIRM, it.dora, body)).status).toBe(400);
    }
    expect((await it.ask('GET', STATE, it.dora)).json).toEqual(OFF);
  });

  test('attack 105: an odd Authorization on the two-factor API: 401, and it goes nowhere', async () => {
    for (const [method, target] of [
      ['GET', STATE],
      ['POST', TOTP_API],
      ['POST', CONFIRM],
      ['DELETE', TOTP_API],
      ['GET', RECOVERY_API],
      ['POST', RECOVERY_API],
      ['DELETE', RECOVERY_API],
    ] as const) {
      for (const authorization of [`bearer ${it.dora}`, `Bearer  ${it.dora}`, `Basic ${it.dora}`, it.dora]) {
        const json = { setup_id: 'x', token: '123456' };
        const body = method === 'GET' ? {} : { json: target === CONFIRM ? json : {} };
        const answer = await it.app.call({ method, target, headers: { authorization }, ...body });
        expect([answer.status, answer.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
      }
      const json = target === CONFIRM ? { setup_id: 'x', token: '123456' } : {};
      const none = await it.app.call({ method, target, ...(method === 'GET' ? {} : { json }) });
      expect([none.status, none.json.errcode]).toEqual([401, 'M_MISSING_TOKEN']);
    }
    expect(it.app.stub.requests).toEqual([]);
  });

  test('sign-ins and sessions from before 2FA was switched on are over', async () => {
    const { session } = (await it.ask('POST', TOTP_API, it.dora, {})).json;
    const on = await it.turnOn();
    const old = await it.ask('POST', TOTP_API, it.dora, {
      auth: dorasPassword('', { session: session as string }),
    });
    expect([old.status, old.json.completed]).toEqual([401, []]);
    expect(old.json.session).not.toBe(session);
    expect(JSON.stringify(old.json.flows)).toContain(TOTP);
    expect(on.recoveryCodes).toHaveLength(10);
  });

  test('an account without a password cannot turn 2FA on, and is told so', async () => {
    it.app.stub.switches.sso = { providers: [{ id: 'idp', name: 'Provider' }], signedInAs: 'dora' };
    it.app.stub.user('dora').password = null;
    if (personality === 'tuwunel') it.app.stub.switches.passwords = 'off';
    const answer = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect(answer.json.error).toMatch(/no password/);
  });
});

describe('a race', () => {
  test('attack 89: a set-up that was proven by a password while 2FA was being turned on hands out no secret', async () => {
    const it = await startAccount();
    it.app.stub.override('/delete_devices', async ({ bytes }, next) => {
      if (bytes.toString().includes('"auth"')) await it.app.enrol('dora');
      return next();
    });
    const answer = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
    expect(answer.status).not.toBe(200);
    expect(answer.json.seed).toBeUndefined();
    await it.app.stop();
  });
});
