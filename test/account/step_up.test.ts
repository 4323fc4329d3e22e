import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { seedIn } from './account.ts';
import { type PagePerson, signInOnPage } from './page_person.ts';

const MINUTE = 60_000;
const PASSWORD = 'correct horse';
const TOTP = 'm.login.2fa.totp';
const USERS = [
  { name: 'bob', password: PASSWORD },
  { name: 'alice', password: 'battery staple' },
];
const V3 = '/_matrix/client/v3';
const HEADER = 'X-M2FA-Page';

const ONE_DEVICE: HttpCall = { method: 'DELETE', target: `${V3}/devices/OLDPHONE`, json: {} };
const DEVICES: HttpCall = { method: 'POST', target: `${V3}/delete_devices`, json: { devices: ['OLDPHONE'] } };
const SET_UP: HttpCall = { method: 'POST', target: `${V3}/account/two-factor/totp`, json: { name: 'new' } };
/** What a step-up stands for the second factor of. */
const STEPPED_UP = [ONE_DEVICE, DEVICES, SET_UP];
const REMOVAL: HttpCall = { method: 'DELETE', target: `${V3}/account/two-factor/totp`, json: {} };
const NEW_CODES: HttpCall = { method: 'POST', target: `${V3}/account/two-factor/recovery`, json: {} };
const NO_CODES: HttpCall = { method: 'DELETE', target: `${V3}/account/two-factor/recovery`, json: {} };
const NEW_PASSWORD: HttpCall = {
  method: 'POST',
  target: `${V3}/account/password`,
  json: { new_password: 'x', logout_devices: false },
};
/** What asks for a fresh factor, always. */
const ALWAYS_FRESH = [REMOVAL, NEW_CODES, NO_CODES, NEW_PASSWORD];

const password = (more: JsonObject = {}): JsonObject => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: '@bob:localhost' },
  password: PASSWORD,
  ...more,
});

const withAuth = (call: HttpCall, auth: JsonObject): HttpCall => ({
  ...call,
  json: { ...(call.json as JsonObject), auth },
});

const flowsOf = ({ json }: HttpAnswer) => ((json.flows ?? []) as JsonObject[]).map(({ stages }) => stages);
const asksFactor = (answer: HttpAnswer) => {
  expect(answer.status).toBe(401);
  return flowsOf(answer).some((stages) => JSON.stringify(stages).includes('m.login.2fa.'));
};

describeOnBothDatabases('the step-up of the account page', (start) => {
  let app: TestApp;
  let bob: Enrolled;

  async function begin(config = '', code?: (enrolled: Enrolled) => string): Promise<PagePerson> {
    app = await start({ users: USERS, config });
    bob = await app.enrol('bob');
    app.stub.signIn('bob', 'OLDPHONE');
    return signIn(code);
  }

  const signIn = (code: (enrolled: Enrolled) => string = (enrolled) => app.code(enrolled)) =>
    signInOnPage(app, { name: 'bob', password: PASSWORD, code: code(bob) });

  test('for ten minutes the password is enough to end devices and to add an authenticator', async () => {
    const person = await begin();
    app.clock.advance(10 * MINUTE - 1);
    for (const call of STEPPED_UP) {
      const challenge = await person.ask(call);
      expect([challenge.status, flowsOf(challenge)]).toEqual([401, [['m.login.password']]]);
      const { session } = challenge.json;
      const wrong = await person.ask(withAuth(call, password({ session, password: 'wrong' } as JsonObject)));
      expect([wrong.status, wrong.json.errcode]).toEqual([401, 'M_FORBIDDEN']);
      expect((await person.ask(withAuth(call, password({ session } as JsonObject)))).status).toBe(200);
      expect((await person.ask(withAuth(call, password()))).status).toBe(200);
    }
    app.clock.advance(1);
    for (const call of STEPPED_UP) expect(asksFactor(await person.ask(call))).toBe(true);
  });

  test('attack 213: what strips protection asks for a fresh factor, with the key too', async () => {
    const person = await begin();
    for (const call of ALWAYS_FRESH) {
      expect(asksFactor(await person.ask(call))).toBe(true);
      const oneShot = await person.ask(withAuth(call, password()));
      expect([oneShot.status, oneShot.json.completed]).toEqual([401, []]);
    }
  });

  test('attack 213: token alone, another key, token, user, origin, an old key: as without', async () => {
    const person = await begin();
    const other = await signIn((enrolled) => app.code(enrolled, 1));
    const alice = await signInOnPage(app, { name: 'alice', password: 'battery staple' });
    const elsewhere = app.stub.signIn('bob').token;
    const keys = [undefined, '', 'x', 'x'.repeat(43), other.key, alice.key, person.token, person.cookie];
    for (const key of keys) {
      const headers = key === undefined ? {} : { [HEADER]: key };
      const answer = await app.call({ ...DEVICES, token: person.token, headers });
      expect(asksFactor(answer)).toBe(true);
    }
    const foreign = await person.ask({ ...DEVICES, token: elsewhere });
    expect(asksFactor(foreign)).toBe(true);
    for (const origin of ['https://evil.example.org', 'null', 'http://matrix.example.org']) {
      expect(asksFactor(await person.ask({ ...DEVICES, headers: { Origin: origin } }))).toBe(true);
    }
    const twice = await person.ask({ ...DEVICES, headers: { [HEADER]: [person.key, person.key] } });
    expect(asksFactor(twice)).toBe(true);
    const first = person.key;
    for (let load = 0; load < 5; load += 1) await person.load();
    expect(asksFactor(await person.ask({ ...DEVICES, headers: { [HEADER]: first } }))).toBe(true);
    expect(asksFactor(await person.ask(DEVICES))).toBe(false);
  });

  test('each load of the page has a key of its own, which its later calls keep', async () => {
    const person = await begin();
    const { key } = person;
    expect((await person.call({ key })).json.page_key).toBe(key);
    expect((await person.call()).json.page_key).not.toBe(key);
    expect((await person.call({ key: 'x'.repeat(43) })).json.page_key).not.toBe(key);
  });

  test('attack 213: a session belongs to how it was begun, and ends with the step-up', async () => {
    const person = await begin();
    const plain = await app.call({ ...SET_UP, token: person.token });
    const session = plain.json.session as string;
    const late = await person.ask(withAuth(SET_UP, password({ session })));
    expect([late.status, late.json.completed]).toEqual([401, []]);

    const under = await person.ask(SET_UP);
    const begun = under.json.session as string;
    expect(begun).not.toBe(session);
    const without = await app.call({
      ...withAuth(SET_UP, password({ session: begun })),
      token: person.token,
    });
    expect(asksFactor(without)).toBe(true);
    expect(without.json.session).not.toBe(begun);

    app.clock.advance(9 * MINUTE);
    const last = (await person.ask(DEVICES)).json.session as string;
    app.clock.advance(MINUTE);
    const over = await person.ask(withAuth(DEVICES, password({ session: last })));
    expect(asksFactor(over)).toBe(true);
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toContain('OLDPHONE');
  });

  test('attack 213: a step-up that ends while the homeserver judges the password: nothing is begun', async () => {
    const person = await begin();
    const other = await app.startAnother();
    const { session } = (await person.ask(SET_UP)).json;
    app.stub.override(/delete_devices/, async (_exchange, next) => {
      await other.storage.factors.endProofs('@bob:localhost');
      return next();
    });
    const answer = await person.ask(withAuth(SET_UP, password({ session } as JsonObject)));
    expect(answer.status).toBe(401);
    expect(answer.json).not.toHaveProperty('setup_id');
  });

  test('attack 213: over after the sign-out, logout/all, a reset, a password change', async () => {
    for (const end of ['sessions', 'factors'] as const) {
      const person = await begin();
      const { key, token } = person;
      if (end === 'sessions') await app.storage.factors.endProofs('@bob:localhost');
      else {
        await app.storage.factors.removeAllFactors('@bob:localhost');
        bob = await app.enrol('bob');
      }
      expect(asksFactor(await person.ask({ ...DEVICES, token, headers: { [HEADER]: key } }))).toBe(true);
      expect((await person.call()).status).toBe(401);
    }
  });

  test('a factor accepted in a later request of the page begins it again, without the key it does not', async () => {
    const person = await begin();
    app.clock.advance(11 * MINUTE);
    expect((await person.call()).json.step_up_until_ts).toBeNull();
    const stranger = { ...withAuth(DEVICES, { type: TOTP, token: app.code(bob) }), token: person.token };
    expect((await app.call(stranger)).json.completed).toEqual([TOTP]);
    expect((await person.call()).json.step_up_until_ts).toBeNull();
    app.clock.advance(MINUTE);
    const wrong = await person.ask(withAuth(DEVICES, { type: TOTP, token: app.wrongCode(bob) }));
    expect(wrong.status).toBe(401);
    expect((await person.call()).json.step_up_until_ts).toBeNull();
    const oneShot = password({ password: `${PASSWORD}${app.code(bob)}` });
    expect((await person.ask(withAuth(NEW_CODES, oneShot))).status).toBe(200);
    expect((await person.call()).json.step_up_until_ts).toBe(app.clock.now() + 10 * MINUTE);
    expect((await person.ask(withAuth(DEVICES, password()))).status).toBe(200);
  });

  test('attack 213: a change of factors ends it, unless the page itself made it', async () => {
    const person = await begin();
    const other = await signIn((enrolled) => app.code(enrolled, 1));
    const begun = await person.ask(withAuth(SET_UP, password()));
    expect(begun.status).toBe(200);
    const { setup_id, seed } = begun.json;
    const confirm = {
      method: 'POST',
      target: `${V3}/account/two-factor/totp/confirm`,
      json: { setup_id, token: codeAt(seedIn(seed), app.clock.now()) } as JsonObject,
    };
    expect((await person.ask(confirm)).status).toBe(200);
    expect(asksFactor(await person.ask(DEVICES))).toBe(false);
    expect(asksFactor(await other.ask(DEVICES))).toBe(true);
    expect((await other.call()).json.step_up_until_ts).toBeNull();

    app.clock.advance(MINUTE);
    const auth = password({ password: `${PASSWORD}${app.code(bob)}` });
    expect((await app.call({ ...withAuth(NO_CODES, auth), token: other.token })).status).toBe(200);
    expect(asksFactor(await person.ask(DEVICES))).toBe(true);
  });

  test('a recovery code at the sign-in begins it; where codes are no good for changes, for devices alone', async () => {
    const recovery = (enrolled: Enrolled) => enrolled.recoveryCodes[0] ?? '';
    const person = await begin('', recovery);
    expect(await person.load()).toMatchObject({ factor: 'recovery', codes_left: 2 });
    for (const call of STEPPED_UP) expect(asksFactor(await person.ask(call))).toBe(false);

    const bound = await begin('policy: { recovery: { codes_for_changes: false } }', recovery);
    expect(asksFactor(await bound.ask(DEVICES))).toBe(false);
    expect(asksFactor(await bound.ask(SET_UP))).toBe(true);
    expect((await bound.ask(withAuth(SET_UP, password()))).status).toBe(401);
  });

  test('switched off, there is none', async () => {
    const person = await begin('account: { step_up: 0 }');
    expect((await person.call()).json.step_up_until_ts).toBeNull();
    for (const call of STEPPED_UP) expect(asksFactor(await person.ask(call))).toBe(true);
  });

  test('switched off, a recovery code at the sign-in stands for one replacement, and for nothing else', async () => {
    const person = await begin('account: { step_up: 0 }', (enrolled) => enrolled.recoveryCodes[0] ?? '');
    expect((await person.call()).json.step_up_until_ts).toBe(app.clock.now() + 10 * MINUTE);
    for (const call of [...STEPPED_UP, ...ALWAYS_FRESH])
      expect(asksFactor(await person.ask(call))).toBe(true);
    const none = { ...SET_UP, json: { replaces: [] } };
    expect(asksFactor(await person.ask(none))).toBe(true);

    const replacement = { ...SET_UP, json: { replaces: 'all' } };
    const { setup_id, seed } = (await person.ask(withAuth(replacement, password()))).json;
    const late = (await person.ask(replacement)).json.session;
    // A fresh factor for another act neither ends nor prolongs it.
    const oneShot = password({ password: `${PASSWORD}${app.code(bob)}` });
    expect((await person.ask(withAuth(DEVICES, oneShot))).status).toBe(200);
    const confirm = {
      method: 'POST',
      target: `${V3}/account/two-factor/totp/confirm`,
      json: { setup_id, token: codeAt(seedIn(seed), app.clock.now()) } as JsonObject,
    };
    expect((await person.ask(confirm)).status).toBe(200);
    expect((await person.call()).json.step_up_until_ts).toBeNull();
    expect(asksFactor(await person.ask(replacement))).toBe(true);
    const again = await person.ask(withAuth(replacement, password({ session: String(late) })));
    expect(again.json).not.toHaveProperty('setup_id');
  });

  test('two processes know of it, and of its end', async () => {
    const person = await begin();
    const other = await app.startAnother();
    const { session } = (await person.ask(DEVICES)).json;
    const done = await person.ask(withAuth(DEVICES, password({ session } as JsonObject)), other);
    expect(done.status).toBe(200);
    app.clock.advance(16 * MINUTE);
    expect((await person.call({ via: other })).status).toBe(401);
    expect(asksFactor(await person.ask(DEVICES))).toBe(true);
  });
});
