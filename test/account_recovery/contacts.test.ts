import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { AppOptions, TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts';
const ON = 'account_recovery: { enabled: true, votes: { enabled: true } }';
const BOB = '@bob:localhost';
const CAROL = '@carol:localhost';
const DAVE = '@dave:localhost';
const PASSWORD = 'bobs password';
const DAY = 86_400_000;

/** bob, carol and dave have 2FA on; eve has not. */
class ContactsApp {
  private constructor(
    readonly app: TestApp,
    readonly bob: Enrolled,
    readonly phone: string,
    readonly eve: string,
  ) {}

  static async start(start: StartApp, options: AppOptions = { config: ON }): Promise<ContactsApp> {
    const names = ['bob', 'carol', 'dave', 'eve'];
    const app = await start({
      users: names.map((name) => ({ name, password: `${name}s password` })),
      ...options,
    });
    const bob = await app.enrol('bob');
    await app.enrol('carol');
    await app.enrol('dave');
    return new ContactsApp(app, bob, app.stub.signIn('bob').token, app.stub.signIn('eve').token);
  }

  async ask(method: string, json?: JsonObject, token = this.phone): Promise<HttpAnswer> {
    const answer = await this.app.call({ method, target: API, token, ...(json && { json }) });
    expect(judgeAll({ method, path: API, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  }

  freshCode(): string {
    this.app.clock.advance(30_000);
    return this.app.code(this.bob);
  }

  /** A change with password and code, all in one request. */
  change(json: JsonObject, method = 'PUT'): Promise<HttpAnswer> {
    return this.ask(method, { ...json, auth: passwordOf(BOB, `${PASSWORD} ${this.freshCode()}`) });
  }

  async events(): Promise<string[]> {
    const entries = await this.app.storage.audit.list({ userId: BOB });
    return entries.map(({ event }) => event);
  }
}

function passwordOf(user: string, password: string): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
}

describeOnBothDatabases('what owners set for the recovery of their account', (start) => {
  test('is what they last set; what is left out stays', async () => {
    const it = await ContactsApp.start(start);
    const nothing = {
      ...{ allowed: true, voters: [], contact: null, time_zone: null, server_time_zone: 'UTC', absences: [] },
      available: { voters: true, mail: false, phone: false, absences: true },
    };
    expect((await it.ask('GET')).json).toEqual(nothing);
    const away = [{ from: '2026-12-21', to: '2027-01-06' }];
    const named = it.app.clock.now() + 30_000;
    const set = await it.change({ voters: [CAROL], time_zone: 'Europe/Berlin', absences: away });
    const carol = { user_id: CAROL, named_ts: named, counts_from_ts: named + 7 * DAY };
    const first = { ...nothing, voters: [carol], time_zone: 'Europe/Berlin', absences: away };
    expect([set.status, set.json]).toEqual([200, first]);
    it.app.clock.advance(DAY);
    const later = it.app.clock.now() + 30_000;
    const dave = { user_id: DAVE, named_ts: later, counts_from_ts: later + 7 * DAY };
    expect((await it.change({ voters: [DAVE, CAROL] })).json).toEqual({ ...first, voters: [dave, carol] });
    expect((await it.change({ time_zone: null, absences: [] })).json).toEqual({
      ...nothing,
      voters: [dave, carol],
    });
    expect((await it.ask('GET')).json).toEqual({ ...nothing, voters: [dave, carol] });
    // Those of others are their own.
    expect((await it.ask('GET', undefined, it.eve)).json).toEqual(nothing);
    expect((await it.change({}, 'DELETE')).json).toEqual({});
    expect((await it.ask('GET')).json).toEqual(nothing);
    expect((await it.events()).filter((event) => event.startsWith('recovery_contacts'))).toEqual([
      'recovery_contacts.removed',
      ...Array.from({ length: 3 }, () => 'recovery_contacts.changed'),
    ]);
  });

  test('changes only with password and factor, each time', async () => {
    const it = await ContactsApp.start(start);
    const wanted = { voters: [CAROL] };
    const parts = [
      {},
      { auth: passwordOf(BOB, PASSWORD) },
      { auth: passwordOf(BOB, `${PASSWORD} ${it.app.wrongCode(it.bob)}`) },
      { auth: { type: 'm.login.2fa.totp', token: it.freshCode() } },
    ];
    for (const part of parts) expect((await it.ask('PUT', { ...wanted, ...part })).status).toBe(401);
    expect((await it.ask('DELETE', {})).status).toBe(401);
    expect((await it.ask('GET')).json.voters).toEqual([]);
    // A session is about what it was opened for.
    const { session } = (await it.ask('PUT', wanted)).json;
    const code = { type: 'm.login.2fa.totp', session: session as string, token: it.freshCode() };
    await it.ask('PUT', { ...wanted, auth: code });
    const password = { ...passwordOf(BOB, PASSWORD), session: session as string };
    expect((await it.ask('PUT', { voters: [DAVE], auth: password })).status).toBe(403);
    expect((await it.ask('PUT', { auth: password })).status).toBe(200);
    expect((await it.ask('GET')).json).toMatchObject({ voters: [{ user_id: CAROL }] });
    expect((await it.ask('PUT', { auth: password })).status).not.toBe(200);
  });

  test('refuses what it cannot be, before a proof is asked for', async () => {
    const it = await ContactsApp.start(start);
    const wrong = [
      {},
      { time_zone: 'Europe/Atlantis' },
      { absences: [{ from: '2026-07-01', to: '2026-07-22' }] },
      { absences: [{ from: '2026-02-30', to: '2026-03-01' }] },
    ];
    for (const body of wrong) expect((await it.ask('PUT', body)).status).toBe(400);
    expect((await it.ask('PUT', { voters: CAROL })).status).toBe(400);
    expect((await it.ask('PUT', { time_zone: 'UTC' }, it.eve)).status).toBe(404);
  });

  test('a voter is another user of this server who has 2FA on, and only a proof tells who has', async () => {
    const it = await ContactsApp.start(start);
    for (const voter of [BOB, '@carol:evil.example', 'carol']) {
      expect((await it.ask('PUT', { voters: [CAROL, voter] })).status).toBe(400);
    }
    for (const voter of ['@eve:localhost', '@nobody:localhost']) {
      expect((await it.ask('PUT', { voters: [voter] })).status).toBe(401);
      const { status, json } = await it.change({ voters: [CAROL, voter] });
      expect([status, json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
    }
    const [eve, nobody] = [
      (await it.change({ voters: ['@eve:localhost'] })).text,
      (await it.change({ voters: ['@nobody:localhost'] })).text,
    ];
    expect(eve.replace('eve', 'nobody')).toBe(nobody);
    expect((await it.ask('GET')).json.voters).toEqual([]);
  });

  test('two changes at once are both made', async () => {
    const it = await ContactsApp.start(start);
    const another = await it.app.startAnother();
    const codes = it.bob.recoveryCodes;
    const put = (app: TestApp, json: JsonObject, code = '') =>
      app.call({
        ...{ method: 'PUT', target: API, token: it.phone },
        json: { ...json, auth: passwordOf(BOB, `${PASSWORD} ${code}`) },
      });
    const answers = await Promise.all([
      put(it.app, { voters: [CAROL] }, codes[0]),
      put(another, { time_zone: 'Asia/Kolkata' }, codes[1]),
      put(it.app, { absences: [{ from: '2026-12-01', to: '2026-12-02' }] }, codes[2]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await it.ask('GET')).json).toMatchObject({
      voters: [{ user_id: CAROL }],
      time_zone: 'Asia/Kolkata',
      absences: [{ from: '2026-12-01' }],
    });
  });

  test('is 404 where account recovery is off, 403 where the policy forbids it; what is there can be removed', async () => {
    const off = await ContactsApp.start(start, {});
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, json } = await off.ask(method, method === 'GET' ? undefined : {});
      expect([status, json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    }
    const policy = 'policy: { users: { "@bob:localhost": { recovery: { account_recovery: forbidden } } } }';
    const forbidden = await ContactsApp.start(start, { config: `${ON}\n${policy}` });
    expect((await forbidden.ask('GET')).json.allowed).toBe(false);
    expect((await forbidden.ask('PUT', { time_zone: 'UTC' })).status).toBe(403);
    expect((await forbidden.change({}, 'DELETE')).status).toBe(200);
    // Without 2FA the password is enough to remove it.
    const auth = passwordOf('@eve:localhost', 'eves password');
    expect((await forbidden.ask('DELETE', {}, forbidden.eve)).status).toBe(401);
    expect((await forbidden.ask('DELETE', { auth }, forbidden.eve)).status).toBe(200);
  });

  test('takes no voters and no absences where they are not used', async () => {
    const config =
      'account_recovery: { enabled: true, calendar: { absences: false, time_zone: Europe/Berlin } }';
    const it = await ContactsApp.start(start, { config });
    expect((await it.ask('PUT', { voters: [CAROL] })).status).toBe(400);
    expect((await it.ask('PUT', { absences: [{ from: '2026-12-01', to: '2026-12-02' }] })).status).toBe(400);
    expect((await it.ask('GET')).json).toMatchObject({
      server_time_zone: 'Europe/Berlin',
      available: { voters: false, mail: false, phone: false, absences: false },
    });
  });
});
