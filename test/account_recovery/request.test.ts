import { expect, jest, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { effect, type Unit } from '../../src/storage/statement.ts';
import { LOGIN, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { operate } from '../support/operate.ts';
import {
  BEGIN,
  BOB,
  begin,
  costOf,
  credentials,
  DAY,
  GROUNDS,
  HOUR,
  PASSWORD,
  recorded,
  running,
  STATUS,
  startRecovering,
  status,
  stored,
  wait,
} from './recovering.ts';

/** What signs bob in who was asked for a code. */
async function askedFor(app: TestApp, token: string): Promise<JsonObject> {
  const { json } = await app.post(LOGIN, credentials());
  return { type: 'm.login.2fa.recovery', session: String(json.session), token };
}

describeOnBothDatabases('a request to recover an account', (start) => {
  test('is begun by the password, shows its claim code once, waits its whole time and is open then', async () => {
    const { app } = await startRecovering(start);
    const begun = await begin(app);
    expect(begun.status).toBe(200);
    const { claim_code, ...shown } = begun.json;
    expect(claim_code).toMatch(/^claim(-[0-9a-z]{4}){4}$/);
    expect(shown).toEqual({
      request_id: shown.request_id,
      state: 'waiting',
      opens_ts: app.clock.now() + 72 * HOUR,
      told: [],
    });
    expect(await stored(app)).not.toContain(String(claim_code).replaceAll('-', '').slice(5));
    expect((await begin(app)).json).toEqual(shown);

    await wait(app, 36 * HOUR);
    expect(await status(app)).toMatchObject({ state: 'waiting', counted_ms: 36 * HOUR, wait_ms: 72 * HOUR });
    await wait(app, 36 * HOUR - 1);
    expect(await status(app)).toMatchObject({ state: 'waiting' });
    await wait(app, HOUR);
    expect(await status(app)).toMatchObject({ state: 'open', opens_ts: app.clock.now() });
    await wait(app, 7 * DAY);
    expect(await status(app)).toMatchObject({ state: 'expired' });
    expect(await recorded(app)).toEqual(['begun', 'told', 'opened', 'expired']);
    const audit = JSON.stringify(await app.storage.audit.list({ userId: BOB }));
    expect(audit).not.toContain(String(claim_code).slice(6));
  });

  test('attack 256: without the right password all accounts look alike, and nothing is begun', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    const wrong = async (path: string, name: string) => {
      const { status, json } = await app.post(path, credentials(name, 'wrong'));
      return { status, json };
    };
    const asAtSignIn = await wrong(LOGIN, 'alice');
    expect(asAtSignIn.status).toBe(403);
    for (const path of [BEGIN, STATUS]) {
      for (const name of ['alice', 'bob', 'carol', 'stranger'])
        expect(await wrong(path, name)).toEqual(asAtSignIn);
    }
    expect(await recorded(app)).toEqual(['begun']);
    const [ofAlice, ofCarol] = [
      await app.post(BEGIN, credentials('alice')),
      await app.post(STATUS, credentials('carol')),
    ];
    expect([ofAlice.status, ofAlice.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    expect([ofCarol.status, ofCarol.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });

  test('attack 256: without the right password all accounts cost the same statements and calls', async () => {
    const { app } = await startRecovering(start);
    await app.enrol('carol');
    await begin(app);
    for (const path of [BEGIN, STATUS]) {
      const wrong = (name: string) => () => app.post(path, credentials(name, 'wrong'));
      const first = await costOf(app, wrong('stranger'));
      expect(first.calls).toEqual([expect.stringMatching(/^POST .*\/login/)]);
      expect(first.statements.length).toBeGreaterThan(0);
      // One without a second factor, one with it, and one whose recovery runs.
      for (const name of ['alice', 'carol', 'bob'])
        expect([path, name, await costOf(app, wrong(name))]).toEqual([path, name, first]);
    }
  });

  test('attack 257: what an owner sets after the beginning shortens nothing', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    const before = await stored(app);
    await app.storage.commit(
      [BOB],
      effect(
        `INSERT INTO recovery_contacts (user_id, voters, time_zone, absences, changed_at)
         VALUES (:userId, '[]', 'Pacific/Kiritimati', '[]', :now)`,
        { userId: BOB },
      ),
    );
    expect(await stored(app)).toBe(before);
    await wait(app, 72 * HOUR - 1);
    expect(await status(app)).toMatchObject({ state: 'waiting' });
  });

  test('attack 258: one runs at once; of a flood three are begun in 30 days, and one after a denial waits twice as long', async () => {
    const { app } = await startRecovering(start);
    const flood = await Promise.all(Array.from({ length: 10 }, () => begin(app)));
    expect(flood.filter(({ json }) => json.claim_code !== undefined)).toHaveLength(1);
    expect(flood.every(({ status }) => status === 200)).toBe(true);
    expect((await operate(app, 'recovery', 'deny', BOB, ...GROUNDS)).code).toBe(0);

    expect((await begin(app)).status).toBe(200);
    expect(await running(app)).toMatchObject({ waitMs: 144 * HOUR });
    await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    await begin(app);
    expect(await running(app)).toMatchObject({ waitMs: 288 * HOUR });
    await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);

    const fourth = await begin(app);
    expect([fourth.status, fourth.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    await wait(app, 30 * DAY);
    expect((await begin(app)).status).toBe(200);
  });

  test('attack 259: a recovery code that was given along is used up; a wrong, used or old one begins nothing', async () => {
    const { app, bob } = await startRecovering(start);
    const [first = '', second = ''] = bob.recoveryCodes;
    const wrong = await begin(app, { voucher: 'aaaa-aaaa-aaaa' });
    expect([wrong.status, wrong.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect(await recorded(app)).toEqual([]);
    expect((await app.storage.audit.list({ userId: BOB })).map(({ event }) => event)).toEqual([
      'factor.refused',
    ]);

    expect((await begin(app, { voucher: first })).json.opens_ts).toBe(app.clock.now() + 24 * HOUR);
    expect(await running(app)).toMatchObject({ waitMs: 24 * HOUR, vouched: 1 });
    await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    expect((await begin(app, { voucher: first })).status).toBe(403);
    await app.enrol('bob');
    expect((await begin(app, { voucher: second })).status).toBe(403);
    expect(await recorded(app)).toEqual(['begun', 'denied']);
  });

  test('attack 259: a code that signs in elsewhere as the request is written → nothing is begun, and it counts as spent', async () => {
    const { app, bob } = await startRecovering(start);
    const other = await app.startAnother();
    const voucher = bob.recoveryCodes[0] ?? '';
    const auth = await askedFor(other, voucher);
    const statuses: number[] = [];
    const commit = app.storage.commit.bind(app.storage);
    jest.spyOn(app.storage, 'commit').mockImplementation((async (accounts: readonly string[], unit: Unit) => {
      if (JSON.stringify(unit).includes('INSERT INTO recovery_requests'))
        statuses.push((await other.post(LOGIN, { auth })).status);
      return commit(accounts, unit);
    }) as typeof commit);
    const { status: refused, json } = await begin(app, { voucher });
    expect([statuses, refused, json.errcode]).toEqual([[200], 403, 'M_FORBIDDEN']);
    expect(await recorded(app)).toEqual([]);
    expect(JSON.parse(await stored(app))).toEqual([]);
    const events = (await app.storage.audit.list({ userId: BOB })).map(({ event }) => event);
    expect(events.filter((event) => event === 'recovery.used')).toHaveLength(1);
    expect(events.filter((event) => event === 'factor.refused')).toHaveLength(1);
  });

  test('attack 259: of a code that begins a request and signs in at the same moment one use wins', async () => {
    const { app, bob } = await startRecovering(start);
    const other = await app.startAnother();
    for (const voucher of bob.recoveryCodes.slice(0, 3)) {
      const auth = await askedFor(other, voucher);
      const [begun, signedIn] = await Promise.all([begin(app, { voucher }), other.post(LOGIN, { auth })]);
      const ways = [begun, signedIn].filter(({ status: each }) => each === 200);
      expect(ways).toHaveLength(1);
      const requests = JSON.parse(await stored(app));
      expect(requests.filter(({ state }: { state: string }) => state === 'waiting')).toHaveLength(
        begun.status === 200 ? 1 : 0,
      );
      for (const { vouched } of requests) expect(Number(vouched)).toBe(1);
      await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    }
    const entries = await app.storage.audit.list({ userId: BOB });
    expect(entries.filter(({ event }) => event === 'recovery.used')).toHaveLength(3);
  });

  test('attack 259: wrong codes that are given along count as at a sign-in, with those that are typed there', async () => {
    const { app, bob } = await startRecovering(start, '{ enabled: true }', {
      config: `policy: { administrators: { detect: false } }
limits: { per_address: { per_second: 0.001, burst_count: 3 } }`,
    });
    const wrong = 'aaaa-aaaa-aaaa';
    const typed = [];
    for (let times = 0; times < 4; times += 1) typed.push((await begin(app, { voucher: wrong })).status);
    expect(typed).toEqual([403, 403, 403, 429]);
    expect((await begin(app, { voucher: bob.recoveryCodes[0] ?? '' })).status).toBe(429);
    const auth = await askedFor(app, wrong);
    expect((await app.post(LOGIN, { auth })).status).toBe(429);
    expect(await recorded(app)).toEqual([]);
    expect((await begin(app)).status).toBe(200);
  });

  test('attack 260: administrators, application services, and whom the policy forbids it, begin none', async () => {
    const token = 'token of a bridge that is listed';
    const { app } = await startRecovering(start, '{ enabled: true }', {
      config: 'policy: { users: { "@bob:localhost": { recovery: { account_recovery: forbidden } } } }',
    });
    expect((await begin(app)).status).toBe(403);
    await app.enrol('alice');
    let admin: boolean | undefined = true;
    app.stub.override(/users\/.*\/admin/, () =>
      admin === undefined ? { status: 500, body: {} } : { status: 200, body: { admin } },
    );
    const ofAlice = async () => (await app.post(BEGIN, credentials('alice'))).status;
    expect(await ofAlice()).toBe(403);
    // It has never said: then she counts as one.
    admin = undefined;
    expect(await ofAlice()).toBe(403);
    admin = false;
    expect(await ofAlice()).toBe(200);
    // Its last word counts.
    admin = undefined;
    expect(await ofAlice()).toBe(200);
    expect((await app.post(BEGIN, { ...credentials(), type: 'm.login.token', token })).status).toBe(400);
    const { identifier = null } = credentials();
    const asService = await app.post(BEGIN, { type: 'm.login.application_service', identifier }, token);
    expect(asService.status).toBe(400);
    expect((await app.post(BEGIN, credentials(), 'a token')).status).toBe(403);
    expect(await recorded(app)).toEqual([]);
  });

  test('administrators begin one where the operator lets them', async () => {
    const config = 'policy: { administrators: { members: ["@bob:localhost"] } }';
    const { app } = await startRecovering(start, '{ enabled: true, administrators: true }', { config });
    expect((await begin(app)).status).toBe(200);
  });

  test('attack 260: before Dendrite, which names no administrators, those in `members` begin none', async () => {
    const { app } = await startRecovering(start, '{ enabled: true }', {
      personality: 'dendrite',
      config: 'policy: { administrators: { members: ["@alice:localhost"] } }',
    });
    expect((await begin(app)).status).toBe(200);
    await app.enrol('alice');
    expect((await app.post(BEGIN, credentials('alice'))).status).toBe(403);
    // One that does not even say that it is Dendrite has said nothing.
    app.stub.override(/federation\/v1\/version/, () => ({
      status: 404,
      body: { errcode: 'M_UNRECOGNIZED' },
    }));
    await app.enrol('carol');
    expect((await app.post(BEGIN, credentials('carol'))).status).toBe(403);
  });

  test('attack 286: guests and deactivated accounts → as at a sign-in; what runs for one is not finished', async () => {
    const { app } = await startRecovering(start);
    app.stub.addUser({ name: 'visitor', password: PASSWORD });
    await begin(app);
    app.stub.user('bob').deactivated = true;
    // The login of the beginning is held no longer.
    await wait(app, HOUR);
    const { token } = app.stub.signIn('carol');
    for (const name of ['bob', 'nobody']) {
      const asked = await Promise.all(
        [BEGIN, STATUS, LOGIN].map(async (path) => {
          const { status: each, json } = await app.post(path, credentials(name));
          return { each, errcode: json.errcode };
        }),
      );
      expect(new Set(asked.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(asked[0]?.each).toBe(403);
    }
    // A guest has no password: with its token it is told no more than that it takes a password.
    expect((await app.post(BEGIN, { type: 'm.login.guest' }, token)).status).toBe(400);
    expect((await app.post(BEGIN, credentials('visitor'))).status).toBe(404);
    expect(await recorded(app)).toEqual(['begun']);
  });

  test('is ended by a sign-in with a right factor, at any door, and by no wrong code', async () => {
    const { app, bob } = await startRecovering(start);
    await begin(app);
    const { json } = await app.post(LOGIN, credentials());
    const code = async (token: string) =>
      app.post(LOGIN, { auth: { type: 'm.login.2fa.totp', session: String(json.session), token } });
    await code(app.wrongCode(bob));
    expect(await status(app)).toMatchObject({ state: 'waiting' });
    expect((await code(app.code(bob))).status).toBe(200);
    expect(await status(app)).toMatchObject({ state: 'cancelled' });
    // It was no one whom the request told: the next one waits as long as ever.
    await begin(app);
    expect(await running(app)).toMatchObject({ waitMs: 72 * HOUR });
    const { token } = app.stub.signIn('bob', 'MINE');
    const auth = {
      ...{ type: 'm.login.password', identifier: { type: 'm.id.user', user: BOB } },
      password: `${PASSWORD} ${bob.recoveryCodes[0]}`,
    };
    const target = '/_matrix/client/v3/delete_devices';
    await app.post(target, { devices: ['OTHER'], auth }, token);
    expect(await recorded(app)).toEqual(['begun', 'cancelled', 'begun', 'cancelled']);
  });

  test('uses up no more logins at the homeserver than sign-ins do', async () => {
    const { app } = await startRecovering(start);
    const before = app.stub.requests.length;
    for (let times = 0; times < 20; times += 1) await status(app);
    const logins = app.stub.requests.slice(before).filter(({ target }) => target.includes('/login'));
    expect(logins).toHaveLength(1);
    expect((await app.post(STATUS, credentials('alice'))).status).toBe(404);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('alice')).toEqual([]);
  });

  test('attack 261: where it is off every call of it is 404', async () => {
    const { app } = await startRecovering(start, '{ enabled: false }');
    for (const path of [BEGIN, STATUS]) {
      for (const name of ['bob', 'alice', 'stranger']) {
        const { status, json } = await app.post(path, credentials(name));
        expect([status, json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
      }
    }
  });
});
