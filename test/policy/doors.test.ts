import { expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { changePolicy, type PolicyChange } from '../../src/policy/change_policy.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { OWN_TOKEN } from '../login/lone_person.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import { chainOf } from '../support/entries.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';

const PW = 'correct horse';
const DAY = 86_400_000;
const V3 = '/_matrix/client/v3';
const POLICY = '/_matrix/client/unstable/org.matrix.2fa/policy';
const TWO_FACTOR = `${V3}/account/two-factor`;
const OWES = 'org.matrix.2fa.owes_enrolment';
const ADMIN = /\/_synapse\/admin\/v1\/users\/.*\/admin/;
const PAST = { until: Date.UTC(2020, 0, 1) };

function started(start: StartApp, policy: string): Promise<TestApp> {
  return start({
    config: `policy: ${policy}`,
    users: [
      { name: 'alice', password: PW, emails: ['alice@example.org'] },
      { name: 'bob', password: PW },
      { name: 'sso', password: null },
    ],
  });
}

const signIn = (app: TestApp, name: string, more: JsonObject = {}) =>
  app.post(LOGIN, passwordLogin(name, PW, more));

/** Of a session that was there before. */
const tokenOf = (app: TestApp, name: string): string => app.stub.signIn(name).token;

/** It asks for the set-up first, and hands nothing out. */
function expectOwed(answer: HttpAnswer): void {
  expect([401, 403]).toContain(answer.status);
  expect(answer.json.errcode).toBe('M_FORBIDDEN');
  expect(answer.json.error).toBe(
    'This server requires two-factor authentication. Set it up at https://matrix.example.org/_2fa/account, then sign in again.',
  );
  expect(answer.json[OWES]).toEqual({
    setup_url: 'https://matrix.example.org/_2fa/account',
    deadline_ts: expect.any(Number),
  });
  expect(answer.text).not.toMatch(/access_token|refresh_token|login_token/);
}

async function setPolicy(app: TestApp, user: string, change: Partial<PolicyChange>): Promise<void> {
  const { storage, clock } = app;
  const audit = new Audit({ storage, chain: chainOf(storage), clock });
  const whole = { mode: undefined, grace: undefined, reason: undefined, ...change };
  await changePolicy({ storage, audit }, `@${user}:localhost`, whole);
}

const policyOf = async (app: TestApp, token: string) => (await app.call({ target: POLICY, token })).json;

describeOnBothDatabases('who owes a set-up', (start) => {
  test('attack 201: gets no token at any door, and a device that they choose is not touched', async () => {
    const app = await started(start, '{ default: required, registration_grace: 0s }');
    for (const path of ['r0', 'v3', 'unstable', 'api/v1']) {
      const body = passwordLogin('alice', PW, { device_id: 'OWNED', refresh_token: true });
      expectOwed(await app.post(`/_matrix/client/${path}/login`, body));
    }
    const together = await Promise.all(
      Array.from({ length: 4 }, () => signIn(app, 'alice', { device_id: 'OWNED' })),
    );
    for (const answer of together) expectOwed(answer);
    const upstream = app.stub.requestsTo('login');
    expect(upstream.length).toBeGreaterThan(0);
    expect(upstream.filter(({ json }) => json?.device_id !== undefined)).toEqual([]);

    const made = await app.post(`${V3}/register`, {
      username: 'new',
      password: PW,
      auth: { type: 'm.login.dummy' },
    });
    expect(made.status).toBe(403);
    expectOwed(made);
    expect(app.stub.liveTokens('new')).toEqual([]);

    // A session that was there before goes on, but for guarded endpoints.
    const token = tokenOf(app, 'alice');
    app.stub.requests.length = 0;
    const guarded = await app.post(`${V3}/delete_devices`, { devices: ['X'] }, token);
    expect(guarded.status).toBe(403);
    expectOwed(guarded);
    expect(app.stub.requestsBesideLookups()).toEqual([]);
    expect((await app.call({ target: `${V3}/capabilities`, token })).status).toBe(200);
    expect((await app.call({ target: TWO_FACTOR, token })).status).toBe(200);
    expect((await app.post(`${TWO_FACTOR}/totp`, {}, token)).status).toBe(401);
  });

  test('guests, listed services and accounts without a password owe nothing', async () => {
    const app = await started(start, '{ default: required, registration_grace: 0s }');
    const remove = (token: string) => app.post(`${V3}/delete_devices`, { devices: ['X'] }, token);
    // The homeserver's own challenge, or its refusal.
    const own = await remove(tokenOf(app, 'sso'));
    expect([own.status, own.json.errcode]).not.toContain('M_FORBIDDEN');
    expect(own.json).not.toHaveProperty([OWES]);
    const alice = tokenOf(app, 'alice');
    expectOwed(await remove(alice));
    app.stub.override(/account\/whoami/, () => ({
      status: 200,
      body: { user_id: '@alice:localhost', is_guest: true },
    }));
    expect((await remove(alice)).json).not.toHaveProperty([OWES]);
  });

  test('an account without a password owes it where our registration and single sign-on let it set one up', async () => {
    const config = 'policy: { default: required, registration_grace: 0s }';
    const users = [{ name: 'sso', password: null }];
    const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'sso' };
    const applicationServices = [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }];
    const remove = (app: TestApp) =>
      app.post(`${V3}/delete_devices`, { devices: ['X'] }, tokenOf(app, 'sso'));
    const able = await start({ config, users, sso, applicationServices, ownToken: OWN_TOKEN });
    expectOwed(await remove(able));
    const withoutPages = await start({
      ...{ users, sso, applicationServices, ownToken: OWN_TOKEN },
      config: `${config}\nlogin: { sso: false }`,
    });
    expect((await remove(withoutPages)).json).not.toHaveProperty([OWES]);
  });

  test('attack 202: has no longer grace by other devices, another process, a restart, a clock that is set back, or a reset', async () => {
    const app = await started(start, '{ default: required, grace: 7d }');
    const first = await signIn(app, 'alice', { device_id: 'ONE' });
    expect(first.status).toBe(200);
    const token = String(first.json.access_token);
    const began = await policyOf(app, token);
    expect(judgeAll({ method: 'GET', path: POLICY, status: 200, body: began })).toEqual([]);
    expect(began).toMatchObject({ mode: 'required', in_grace: true });
    const deadline = Number(began.deadline_ts);
    if (!app.isOnPostgres) expect(deadline).toBe(app.clock.now() + 7 * DAY);

    app.clock.advance(2 * DAY);
    const another = await app.startAnother();
    expect((await signIn(another, 'alice', { device_id: 'TWO' })).status).toBe(200);
    await app.shutDown();
    await app.start();
    app.clock.advance(-DAY);
    expect((await signIn(app, 'alice')).status).toBe(200);
    expect((await policyOf(app, token)).deadline_ts).toBe(deadline);
    const begun = (await app.storage.audit.list({ userId: '@alice:localhost' })).filter(
      ({ event }) => event === 'policy.required',
    );
    expect(begun).toHaveLength(1);

    // Within the grace: who had a second factor and lost it owes one at once.
    await app.enrol('bob');
    await app.storage.factors.removeAllFactors('@bob:localhost');
    expectOwed(await signIn(app, 'bob'));
    app.clock.advance(7 * DAY);
    expectOwed(await signIn(app, 'alice'));
  });

  test('attack 203: is found under every spelling, and by e-mail', async () => {
    const app = await started(start, '{ users: { "@alice:localhost": required } }');
    for (const name of ['alice', 'ALICE', '@alice:localhost', ' alice']) {
      const answer = await signIn(app, name, { device_id: 'OWNED' });
      if (answer.status !== 403 || answer.json[OWES] !== undefined) expectOwed(answer);
    }
    const identifier = { type: 'm.id.thirdparty', medium: 'email', address: 'alice@example.org' };
    expectOwed(
      await app.post(LOGIN, { type: 'm.login.password', identifier, password: PW, device_id: 'OWNED' }),
    );
    expect(app.stub.requestsTo('login').filter(({ json }) => json?.device_id !== undefined)).toEqual([]);
    expect((await signIn(app, 'bob')).status).toBe(200);
  });

  test('attack 357: is found by what a command set at another process, under every spelling, and no one else is', async () => {
    const app = await started(start, '{ default: optional }');
    const other = await app.startAnother();
    const devices = async (name: string) => {
      app.stub.requests.length = 0;
      await signIn(app, name, { device_id: 'OWNED' });
      return app.stub.requestsTo('login').map(({ json }) => json?.device_id);
    };
    expect(await devices('alice')).toEqual(['OWNED']);
    for (const name of ['alice', 'bob']) {
      await setPolicy(other, name, { mode: name === 'alice' ? 'required' : 'optional', grace: PAST });
    }
    for (const name of ['alice', 'ALICE', '@alice:localhost', ' alice', 'ａｌｉｃｅ']) {
      expect((await devices(name)).filter((device) => device !== undefined)).toEqual([]);
    }
    for (const name of ['bob', 'nobody']) expect(await devices(name)).toEqual(['OWNED']);
    await setPolicy(other, 'alice', { mode: 'inherit' });
    // How often the homeserver is asked for one name has a bound in an hour.
    app.clock.advance(DAY);
    expect(await devices('alice')).toEqual(['OWNED']);
  });

  test('attack 204: with `block` gets through by no method, prefix, query or double token', async () => {
    const app = await started(
      start,
      '{ users: { "@alice:localhost": { policy: required, after_grace: block } } }',
    );
    const token = tokenOf(app, 'alice');
    const bobs = tokenOf(app, 'bob');
    const blocked: HttpCall[] = [
      { target: `${V3}/capabilities`, token },
      { target: '/_matrix/client/r0/capabilities', token },
      { target: `${V3}/capabilities?access_token=${token}` },
      { target: `${V3}/sync?filter=${'x'.repeat(6000)}&access_token=${token}` },
      { method: 'PUT', target: `${V3}/rooms/!a:b/send/m.room.message/1`, json: {}, token },
      { method: 'DELETE', target: `${V3}/rooms/!a:b/x`, token },
      { target: `${V3}/account/whoami/x`, token },
      { target: '/_synapse/client/x', token },
    ];
    for (const call of blocked) {
      const answer = await app.call(call);
      expect(answer.status).toBe(403);
      expectOwed(answer);
    }
    const odd: HttpCall[] = [
      { target: `${V3}/capabilities?access_token=${token}`, token: bobs },
      { target: `${V3}/capabilities`, headers: { authorization: `bearer ${token}` } },
    ];
    for (const call of odd) expect((await app.call(call)).status).toBe(401);
    const around = await app.call({ target: `${V3}/auth/m.x/fallback/web/../../../../capabilities`, token });
    expect(around.status).not.toBe(200);
    const through = app.stub.requestsBesideLookups().filter(({ endpoint }) => endpoint !== 'whoami');
    expect(through).toEqual([]);

    expect((await app.call({ target: `${V3}/account/whoami`, token })).status).toBe(200);
    expect((await app.call({ target: '/_matrix/client/versions', token })).status).toBe(200);
    expect((await app.call({ target: TWO_FACTOR, token })).status).toBe(200);
    expect((await app.call({ target: `${V3}/capabilities`, token: bobs })).status).toBe(200);
    // Its owner is asked once a minute, and a change holds at once.
    app.stub.requests.length = 0;
    await app.enrol('alice');
    expect((await app.call({ target: `${V3}/capabilities`, token })).status).toBe(200);
    expect(app.stub.requests).toHaveLength(1);
    expect((await app.post(`${V3}/logout`, {}, token)).status).toBe(200);
  });

  test('attack 206: counts as an administrator until the homeserver says otherwise, and as it said last', async () => {
    const app = await started(start, '{ administrators: { policy: required } }');
    let says: { status: number; body: JsonObject } = { status: 500, body: {} };
    app.stub.override(ADMIN, () => says);
    expectOwed(await signIn(app, 'alice'));
    says = { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'You are not a server admin' } };
    await setPolicy(app, 'bob', { mode: 'required', grace: { durationMs: DAY } });
    expect((await signIn(app, 'sso')).status).toBe(403);
    const token = String((await signIn(app, 'bob')).json.access_token);
    expect((await policyOf(app, token)).mode).toBe('required');
    await setPolicy(app, 'bob', { mode: 'inherit' });
    expect((await policyOf(app, token)).mode).toBe('optional');
    says = { status: 500, body: {} };
    expect((await signIn(app, 'bob')).status).toBe(200);
    says = { status: 200, body: { admin: true } };
    expectOwed(await signIn(app, 'bob'));
    says = { status: 500, body: {} };
    expectOwed(await signIn(app, 'bob'));
  });

  test('attack 206: someone who has a second factor is asked about at their sign-ins, too', async () => {
    const app = await started(start, '{ administrators: { recovery: { codes: off } } }');
    let says: { status: number; body: JsonObject } = { status: 500, body: {} };
    app.stub.override(ADMIN, () => says);
    await app.enrol('alice');
    const codes = async () => {
      // A login that is still held would be joined: no new one is asked for.
      app.clock.advance(DAY);
      return (await signIn(app, 'alice')).text.includes('m.login.2fa.recovery');
    };
    expect(await codes()).toBe(false);
    says = { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'You are not a server admin' } };
    expect(await codes()).toBe(true);
    says = { status: 500, body: {} };
    expect(await codes()).toBe(true);
    says = { status: 200, body: { admin: true } };
    expect(await codes()).toBe(false);
  });

  test('attack 207: is judged by the policy at the release, not by that at the beginning', async () => {
    const app = await started(start, '{ default: optional }');
    let isOver = false;
    app.stub.override(/^POST .*\/login$/, async (_exchange, next) => {
      const answer = next();
      if (!isOver) await setPolicy(app, 'alice', { mode: 'required', grace: PAST });
      isOver = true;
      return answer;
    });
    expectOwed(await signIn(app, 'alice'));
    // During the second login of R5.
    await setPolicy(app, 'alice', { mode: 'required', grace: { durationMs: DAY } });
    app.stub.override(/^POST .*\/login$/, async (exchange, next) => {
      const answer = next();
      if (JSON.parse(String(exchange.bytes)).device_id !== undefined)
        await setPolicy(app, 'alice', { mode: 'required', grace: PAST });
      return answer;
    });
    const second = await signIn(app, 'alice', { device_id: 'NEW' });
    expect(second.status).toBe(403);
    expect(second.text).not.toContain('access_token');
  });
});

describeOnBothDatabases('what the policy allows', (start) => {
  const oneShot = (name: string, code: string): JsonObject => ({
    auth: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: name },
      password: `${PW} ${code}`,
    },
  });

  test('attack 205: no way out of `required`, and none into 2FA under `forbidden`', async () => {
    const app = await started(
      start,
      '{ users: { "@bob:localhost": required, "@alice:localhost": forbidden } }',
    );
    const bob = await app.enrol('bob');
    const token = tokenOf(app, 'bob');
    const remove = (body: JsonObject) =>
      app.call({ method: 'DELETE', target: `${TWO_FACTOR}/totp`, json: body, token });
    const refused = await remove(oneShot('bob', app.code(bob)));
    expect([refused.status, refused.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    // Two at once, each of which would leave the other.
    const { factors } = app.storage;
    const second = await app.enrol('bob');
    const left = await Promise.all(
      [bob, second].map(({ authenticatorId }) =>
        factors.removeAuthenticator('@bob:localhost', authenticatorId, undefined, true),
      ),
    );
    expect(left.sort()).toEqual([false, true]);
    expect(await factors.removeKindKeepingLast('@bob:localhost', 'totp')).toBe(false);

    const alices = tokenOf(app, 'alice');
    const begun = await app.post(`${TWO_FACTOR}/totp`, { auth: {} }, alices);
    expect([begun.status, begun.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect((await policyOf(app, alices)).mode).toBe('forbidden');
    // A set-up from before does not become one.
    await setPolicy(app, 'alice', { mode: 'optional' });
    const before = await app.post(`${TWO_FACTOR}/totp`, oneShotPassword('alice'), alices);
    expect(before.status).toBe(200);
    await setPolicy(app, 'alice', { mode: 'forbidden' });
    const confirm = { setup_id: before.json.setup_id ?? '', token: '123456' };
    expect((await app.post(`${TWO_FACTOR}/totp/confirm`, confirm, alices)).status).toBe(403);
    expect(await factors.isEnrolled('@alice:localhost')).toBe(false);
    // What is on stays in force, and may be turned off.
    const alice = await app.enrol('alice');
    expect((await signIn(app, 'alice')).status).toBe(401);
    const off = oneShot('alice', app.code(alice));
    expect(
      (await app.call({ method: 'DELETE', target: `${TWO_FACTOR}/totp`, json: off, token: alices })).status,
    ).toBe(200);
  });

  test('attack 208: recovery codes that are off are neither offered nor taken, behind the password too', async () => {
    const app = await started(start, '{ recovery: { codes: off } }');
    const bob = await app.enrol('bob');
    const token = tokenOf(app, 'bob');
    const [code = ''] = bob.recoveryCodes;
    const challenge = await signIn(app, 'bob');
    expect(challenge.json.flows).toEqual([{ stages: ['m.login.password', 'm.login.2fa.totp'] }]);
    const typed = await app.post(LOGIN, passwordLogin('bob', `${PW} ${code}`));
    expect([401, 403]).toContain(typed.status);
    const auth = { type: 'm.login.2fa.recovery', session: challenge.json.session ?? '', token: code };
    expect((await app.post(LOGIN, { auth })).status).toBe(401);
    expect((await app.post(`${TWO_FACTOR}/recovery`, {}, token)).status).toBe(403);
    const set = await app.storage.factors.recoverySet('@bob:localhost');
    expect(set?.codes.every(({ usedAt }) => usedAt === null)).toBe(true);
  });

  test('attack 208: codes that are no good for changes are refused there, unspent and uncounted', async () => {
    const app = await started(start, '{ recovery: { codes: required, codes_for_changes: false } }');
    const bob = await app.enrol('bob');
    const token = tokenOf(app, 'bob');
    const [code = ''] = bob.recoveryCodes;
    const renew = (body: JsonObject) => app.post(`${TWO_FACTOR}/recovery`, body, token);
    const flows = (await renew({})).json.flows;
    expect(JSON.stringify(flows)).not.toContain('recovery');
    expect((await renew(oneShot('bob', code))).status).toBe(401);
    expect(await app.storage.read(lanesOf('@bob:localhost'))).toEqual([]);
    const removal = await app.call({ method: 'DELETE', target: `${TWO_FACTOR}/recovery`, json: {}, token });
    expect(removal.status).toBe(403);
    // At sign-in it is good.
    expect((await app.post(LOGIN, passwordLogin('bob', `${PW} ${code}`))).status).toBe(200);
    expect((await renew(oneShot('bob', app.code(bob)))).status).toBe(200);
  });
});

function oneShotPassword(name: string): JsonObject {
  return { auth: { type: 'm.login.password', identifier: { type: 'm.id.user', user: name }, password: PW } };
}
