import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { shownAddress } from '../../src/account_recovery/shown_address.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { effect } from '../../src/storage/statement.ts';
import { removeRecoveryContacts } from '../../src/storage/tables/recovery_contacts.ts';
import { findRunningRecovery, type SeenRecovery } from '../../src/storage/tables/recovery_requests.ts';
import { MINUTE } from '../../src/system/clock.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { operate } from '../support/operate.ts';
import { Visitor } from '../support/visitor.ts';
import { arrived, seedShown, stopBy, textOf } from './recover_visitor.ts';
import {
  BEGIN,
  credentials,
  DAY,
  GROUNDS,
  HOUR,
  PASSWORD,
  STATUS,
  startRecovering,
  wait,
} from './recovering.ts';
import { StubRooms } from './stub_rooms.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa';
const OWN = 'as_token_of_the_proxy_itself';
const VOTERS = ['alice', 'carol'];
/** Of a request that has ended no message has a link. */
const NO_LINKS: ReadonlyMap<string, Told> = new Map();
const OF_RECOVERY = /Recovery of (?:your|an) account|account was recovered/;
const LINK = /https:\/\/matrix\.example\.org(\/_2fa\/recover\/cancel\?t=[\w-]{27})\r?$/m;
const VOTE_LINK = /\/_2fa\/recover\/vote\?t=([\w-]{27})\r?$/m;

/** A message: what it says first, and the link by which its reader stops the request. */
interface Told {
  readonly subject: string;
  readonly link: string | undefined;
}

/** Someone who can prove who they are. */
interface Person {
  readonly enrolled: Enrolled;
  readonly token: string;
}

interface Owner extends Person {
  readonly name: string;
  readonly userId: string;
}

/** A message as its reader got it. */
interface Message {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

let mail: MailReceiver;
beforeAll(async () => {
  mail = await startMailReceiver();
});
afterAll(() => mail.stop());

describeOnSharedDatabases('the whole way of a recovery', (start) => {
  let app: TestApp;
  let rooms: StubRooms;
  const voters = new Map<string, Person>();
  let owner: Owner;
  let owners = 0;

  beforeAll(async () => {
    const section =
      '{ enabled: true, wait: 10d, notice_every: 7d, operators: ["@ops:localhost", ops@example.org], room_admins: true, votes: { enabled: true } }';
    ({ app } = await startRecovering(start, section, {
      config: `policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} }, matrix: { appservice: true } }`,
      users: ['bob', ...VOTERS].map((name) => ({
        name,
        password: PASSWORD,
        emails: [`${name}@example.org`],
      })),
      applicationServices: [{ token: OWN, senderLocalpart: 'two-factor', prefix: '' }],
      ownToken: OWN,
    }));
    rooms = new StubRooms(app.stub, '@dan:localhost');
    for (const name of VOTERS) {
      const { token } = app.stub.signIn(name);
      // By a request of theirs the addresses of a user become known.
      await app.call({ target: `${API}/recovery_contacts`, token });
      voters.set(name, { enrolled: await app.enrol(name), token });
    }
  });

  /** Someone with everybody to be told: devices, an address, a contact address, two voters; and the operators. */
  beforeEach(async () => {
    owners += 1;
    const name = `owner${owners}`;
    app.stub.addUser({ name, password: PASSWORD, emails: [`${name}@example.org`] });
    const enrolled = await app.enrol(name);
    owner = { name, userId: `@${name}:localhost`, enrolled, token: app.stub.signIn(name).token };
    const contact = { kind: 'mail', address: `friend-of-${name}@example.org` };
    const named = VOTERS.map((voter) => `@${voter}:localhost`);
    const set = await prove(owner, `${API}/recovery_contacts`, { voters: named, contact });
    expect(set.status).toBe(200);
    await app.proxy.sendNotices();
    const asked = mail.mails.find(({ to }) => to.includes(contact.address))?.text ?? '';
    const friend = new Visitor(app.url);
    await friend.open(/\/_2fa\/recover\/contact\?t=[\w-]{27}/.exec(asked)?.[0] ?? '');
    await friend.send({});
    await wait(app, 7 * DAY);
    await sent();
  });

  /** A call with password and code. */
  function prove({ enrolled, token }: Person, target: string, json: JsonObject): Promise<HttpAnswer> {
    app.live(MINUTE);
    const identifier = { type: 'm.id.user', user: enrolled.userId };
    const auth = { type: 'm.login.password', identifier, password: `${PASSWORD} ${app.code(enrolled)}` };
    return app.call({ method: 'PUT', target, token, json: { ...json, auth } });
  }

  /** By what they are told, what they are to the request. */
  const everybody = (): ReadonlyMap<string, string> =>
    new Map<string, string>([
      [`mail ${owner.name}@example.org`, 'owner'],
      [`matrix ${owner.userId}`, 'owner'],
      [`mail friend-of-${owner.name}@example.org`, 'contact'],
      ['mail ops@example.org', 'operator'],
      ['matrix @ops:localhost', 'operator'],
      ...VOTERS.flatMap((name): [string, string][] => [
        [`mail ${name}@example.org`, 'voter'],
        [`matrix @${name}:localhost`, 'voter'],
      ]),
      ['matrix @dan:localhost', 'room_admin'],
    ]);

  /** What went out about the account since the last call. */
  async function sent(): Promise<readonly Message[]> {
    // Of two messages for a room that is being made the second one waits for its next attempt.
    for (let rounds = 0; rounds < 2; rounds += 1) {
      await app.proxy.sendNotices();
      app.live(MINUTE);
    }
    const mails = mail.mails.splice(0).map(({ to, text, header }) => {
      return { to: `mail ${to[0]}`, text, subject: header('Subject') ?? '' };
    });
    const messages = rooms.messages.splice(0).map(({ to, body }) => {
      return { to: `matrix ${to}`, text: body, subject: body.split('\n')[0] ?? '' };
    });
    return [...mails, ...messages].filter(({ text }) => text.includes(owner.userId));
  }

  function toldIn(messages: readonly Message[]): Map<string, Told> {
    const all = messages.filter(({ subject }) => OF_RECOVERY.test(subject));
    expect(new Set(all.map(({ to }) => to)).size).toBe(all.length);
    return new Map(all.map(({ to, text, subject }) => [to, { subject, link: LINK.exec(text)?.[1] }]));
  }

  /** Everybody was told so, once, each with a link of their own: these, where they are given. */
  async function expectTold(
    ending: string,
    links?: ReadonlyMap<string, Told>,
  ): Promise<ReadonlyMap<string, Told>> {
    const all = toldIn(await sent());
    expect([...all.keys()].sort()).toEqual([...everybody().keys()].sort());
    for (const [to, { subject, link }] of all) {
      expect([to, subject]).toEqual([to, expect.stringMatching(new RegExp(`${ending}$`))]);
      expect([to, link]).toEqual([to, links === undefined ? expect.any(String) : links.get(to)?.link]);
    }
    return all;
  }

  const begin = async (more: JsonObject = {}) =>
    String((await app.post(BEGIN, { ...credentials(owner.name), ...more })).json.claim_code);
  const state = async () => (await app.post(STATUS, credentials(owner.name))).json.state;

  async function request(): Promise<SeenRecovery> {
    const [found] = await app.storage.read(findRunningRecovery(owner.userId));
    if (found === undefined) throw new Error('none runs');
    return found;
  }

  async function passes(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone += DAY / 2) await wait(app, Math.min(DAY / 2, ms - gone));
  }

  /** The newest entry of a kind. */
  async function entry(event: string) {
    return (await app.storage.audit.list({ userId: owner.userId })).find(
      (each) => each.event === `recovery_request.${event}`,
    );
  }

  test('begin, be told weekly, a day before and at the opening, and finish: all other sessions are gone', async () => {
    const thief = app.stub.signIn(owner.name, 'THIEFS').token;
    const claim = await begin();
    const links = await expectTold('was started');
    expect(new Set([...links.values()].map(({ link }) => link)).size).toBe(everybody().size);
    await passes(7 * DAY);
    await expectTold('is under way', links);
    await passes(2 * DAY);
    await expectTold('opens within a day', links);
    expect(await state()).toBe('waiting');
    await passes(DAY);
    await expectTold('is possible now', links);

    const late = new Visitor(app.url);
    await late.open(links.get('mail ops@example.org')?.link ?? '');
    const before = await app.storage.factors.authenticators(owner.userId);
    const visitor = await arrived(app, owner.name);
    await visitor.send({ claim_code: claim });
    const seed = seedShown(visitor);
    expect(await app.storage.factors.authenticators(owner.userId)).toEqual(before);
    await visitor.send({ step: 'set_up_code', code: codeAt(seed, app.clock.now()) });
    expect(textOf(visitor)).toContain('Your account is recovered.');
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(visitor.led).toBe('/_2fa/account');
    expect(app.stub.isLive(thief)).toBe(false);
    expect(app.stub.isLive(owner.token)).toBe(false);
    expect(app.stub.devicesOf(owner.name)).toHaveLength(1);
    const after = await app.storage.factors.authenticators(owner.userId);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    await expectTold('it has a new authenticator', NO_LINKS);
    await late.send({});
    expect(await state()).toBe('finished');
  });

  test('attack 273: each of those who are told stops it by the link of their own, and all are told of it', async () => {
    for (const [to, role] of everybody()) {
      await begin();
      const links = await expectTold('was started');
      const stopped = await stopBy(app, links.get(to)?.link ?? '');
      expect([to, textOf(stopped)]).toEqual([to, expect.stringContaining('The recovery was stopped')]);
      expect([to, await state()]).toEqual([to, 'cancelled']);
      const [channel = '', address = ''] = to.split(' ');
      const who = `${role} ${channel} ${shownAddress(address)}`;
      expect((await entry('cancelled'))?.detail).toMatchObject({ channel: 'link', who });
      await expectTold('was cancelled', NO_LINKS);
      await wait(app, 31 * DAY);
    }
  });

  test('two votes for it shorten the wait; before it has gone by nothing opens', async () => {
    await begin();
    const asked = await sent();
    for (const name of VOTERS) {
      expect((await request()).waitMs).toBe(10 * DAY);
      const texts = asked.filter(({ to }) => to === `mail ${name}@example.org`).map(({ text }) => text);
      const link = texts.flatMap((text) => VOTE_LINK.exec(text)?.[1] ?? [])[0] ?? '';
      const voter = voters.get(name);
      if (voter === undefined) throw new Error(`${name} is not there`);
      const vote = { link, vote: 'yes', how: 'on the phone' };
      expect((await prove(voter, `${API}/recovery_vote`, vote)).status).toBe(200);
    }
    expect((await request()).waitMs).toBe(DAY);
    await wait(app, 23 * HOUR);
    expect(await state()).toBe('waiting');
    await wait(app, HOUR);
    await expectTold('is possible now', toldIn(asked));
    expect(await state()).toBe('open');
  });

  test('a recovery code given along makes it shorter, and so does the operator, who can end it, too', async () => {
    await begin({ voucher: owner.enrolled.recoveryCodes[0] ?? '' });
    const links = await expectTold('was started');
    await wait(app, 23 * HOUR);
    expect(await state()).toBe('waiting');
    await wait(app, HOUR);
    await expectTold('is possible now', links);
    expect((await operate(app, 'recovery', 'deny', owner.userId, ...GROUNDS)).code).toBe(0);
    await expectTold('was cancelled', NO_LINKS);

    await begin();
    const next = await expectTold('was started');
    expect((await operate(app, 'recovery', 'approve', owner.userId, ...GROUNDS)).code).toBe(0);
    expect(await state()).toBe('open');
    await expectTold('is possible now', next);
    await passes(8 * DAY);
    expect(await state()).toBe('expired');
    await expectTold('expired: nothing was changed', NO_LINKS);
    const { detail } = (await entry('approved')) ?? {};
    expect(detail).toMatchObject({ reason: GROUNDS[1], verified_by: GROUNDS[3] });
  });

  test('attack 285: whatever is removed or changed afterwards, it is as long, and all are told as before', async () => {
    const away = [{ from: isoDay(app, 2), to: isoDay(app, 4) }];
    const { userId } = owner;
    const set = { absences: away, time_zone: 'Asia/Kolkata' };
    expect((await prove(owner, `${API}/recovery_contacts`, set)).status).toBe(200);
    await begin();
    const links = await expectTold('was started');
    const { countedMs: _counted, countedAt: _at, now: _now, ...begun } = await request();
    const opens = (await app.post(STATUS, credentials(owner.name))).json.opens_ts;

    // Past the API, where the factor that a change takes would end the request.
    await app.storage.commit(
      [userId],
      effect(
        `UPDATE recovery_contacts SET voters = '[]', contact_kind = NULL, sealed_contact = NULL, contact_confirmed_at = NULL,
         time_zone = 'UTC', absences = '[]' WHERE user_id = :userId`,
        { userId },
      ),
    );
    await wait(app, DAY);
    await app.storage.commit([userId], removeRecoveryContacts(userId));
    await app.storage.commit([], effect('DELETE FROM notice_addresses WHERE user_id = :userId', { userId }));
    app.stub.user(owner.name).emails.clear();
    for (const token of app.stub.liveTokens(owner.name)) app.stub.expire(token);
    await passes(6 * DAY);
    await expectTold('is under way', links);
    const { countedMs, countedAt: _later, now: _then, toldAt: _told, ...after } = await request();
    const { toldAt: _first, ...same } = begun;
    expect(after).toEqual(same);
    // Three days of absence do not count.
    expect(countedMs).toBeLessThanOrEqual(4 * DAY + HOUR);
    const later = (await app.post(STATUS, credentials(owner.name))).json.opens_ts;
    expect(Math.abs(Number(later) - Number(opens))).toBeLessThan(HOUR);
    expect((await operate(app, 'recovery', 'deny', userId, ...GROUNDS)).code).toBe(0);
  });
});

/** A day so many days from now, as people write it. */
function isoDay(app: TestApp, days: number): string {
  return new Date(app.clock.now() + days * DAY).toISOString().slice(0, 10);
}
