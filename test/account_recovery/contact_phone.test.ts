import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { ask } from '../../src/storage/statement.ts';
import { removeRecoveryContacts } from '../../src/storage/tables/recovery_contacts.ts';
import { type HookReceiver, startHookReceiver } from '../notify/receivers.ts';
import type { AppOptions, TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { judgeAll } from '../support/judged.ts';
import { Visitor } from '../support/visitor.ts';
import { BOB, begin, DAY, HOUR, PASSWORD, recorded, running, startRecovering, wait } from './recovering.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts';
const NUMBER = '+4915112345678';
const LINK = /https:\/\/matrix\.example\.org(\/_2fa\/recover\/(?:contact|cancel)\?t=[\w-]{27})$/;
const SECRET_FILE = join(tmpdir(), `sms-secret-${process.pid}`);

let gateway: HookReceiver;
beforeEach(async () => {
  writeFileSync(SECRET_FILE, 'of_the_gateway\n');
  gateway = await startHookReceiver();
});
afterEach(() => gateway.stop());

describeOnBothDatabases('a phone number as the contact for a recovery', (start: StartApp) => {
  let app: TestApp;
  let bob: Enrolled;
  let token: string;

  async function starts(sms = '', recovery = '{ enabled: true, wait: 10d }'): Promise<void> {
    const headers = 'headers: ["Authorization: Bearer {secret}", "Idempotency-Key: {id}"]';
    const section = `{ url: "${gateway.url}", secret_file: "${SECRET_FILE}", ${headers} ${sms} }`;
    const config = `notify: { sms: ${section} }\npolicy: { administrators: { detect: false } }`;
    ({ app, bob } = await startRecovering(start, recovery, { config }));
    token = app.stub.signIn('bob').token;
  }

  async function put(
    contact: JsonObject | null,
    { at = app, code = app.code(bob), who = BOB, by = token } = {},
  ) {
    const identifier = { type: 'm.id.user', user: who };
    const auth = { type: 'm.login.password', identifier, password: `${PASSWORD} ${code}` };
    const answer = await at.call({ method: 'PUT', target: API, token: by, json: { contact, auth } });
    expect(judgeAll({ method: 'PUT', path: API, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  }

  async function set(number: string) {
    app.live(30_000);
    const answer = await put({ kind: 'phone', address: number });
    await app.proxy.sendNotices();
    return answer;
  }

  /** What the gateway was given since the last call. */
  const taken = () => gateway.hooks.splice(0).map(({ json }) => ({ to: json.to, text: String(json.text) }));
  const link = (text = '') => LINK.exec(text)?.[1] ?? '';

  async function confirmed(number = NUMBER): Promise<void> {
    expect((await set(number)).status).toBe(200);
    const person = new Visitor(app.url);
    await person.open(link(taken()[0]?.text));
    expect((await person.send({})).text).toContain('Contact address confirmed');
  }

  test('gets a text message with a link that confirms it, then one at each occasion with a link that cancels', async () => {
    await starts();
    expect((await set(NUMBER)).json).toMatchObject({
      contact: { kind: 'phone', address: NUMBER, confirmed_ts: null },
      available: { mail: false, phone: true },
    });
    const [asked] = gateway.hooks;
    expect(asked?.headers).toMatchObject({ authorization: 'Bearer of_the_gateway' });
    expect(asked?.json).toEqual({
      to: NUMBER,
      text: expect.stringMatching(/^localhost: Is this your number/),
    });
    const [confirming] = taken();
    expect(confirming?.text.length).toBeLessThanOrEqual(160);
    // Before it is confirmed, it is told nothing.
    const person = new Visitor(app.url);
    await person.open(link(confirming?.text));
    expect(person.last?.text).toContain(NUMBER);
    expect((await person.send({})).text).toContain('Contact address confirmed');
    const { told } = (await begin(app)).json;
    expect(told).toEqual([{ channel: 'sms', address: '+49•••78' }]);
    await app.proxy.sendNotices();
    const [first] = taken();
    expect(first).toMatchObject({ to: NUMBER, text: expect.stringContaining('was started') });
    for (const [ms, what] of [
      [7 * DAY, 'is under way'],
      [2 * DAY + HOUR, 'opens within a day'],
      [DAY, 'is possible now'],
    ] as const) {
      await wait(app, ms);
      await app.proxy.sendNotices();
      const [each, ...more] = taken();
      expect([each?.text.includes(what), link(each?.text), more]).toEqual([true, link(first?.text), []]);
    }
    await person.open(link(first?.text));
    await person.send({});
    expect((await recorded(app)).at(-1)).toBe('cancelled');
    const [entry] = await app.storage.audit.list({ userId: BOB });
    expect(JSON.stringify(entry)).toContain('contact sms +49•••78');
    await app.proxy.sendNotices();
    expect(taken()).toEqual([{ to: NUMBER, text: expect.stringMatching(/was cancelled\. [^:]*$/) }]);
  });

  test('attack 342: the link of a text message cancels and does nothing else', async () => {
    await starts();
    await confirmed();
    await begin(app);
    await app.proxy.sendNotices();
    const cancel = link(taken()[0]?.text);
    const person = new Visitor(app.url);
    for (let times = 0; times < 3; times += 1) expect((await person.open(cancel)).status).toBe(200);
    expect((await running(app)).state).toBe('waiting');
    for (const page of ['contact', 'vote']) {
      const other = await new Visitor(app.url).open(cancel.replace('/cancel', `/${page}`));
      expect(other.text).not.toContain(NUMBER);
      if (page === 'contact') expect(other.status).toBe(404);
    }
    const vote = { link: cancel.split('=')[1] ?? '', vote: 'yes', how: 'by text message' };
    const target = API.replace('recovery_contacts', 'recovery_vote');
    expect((await app.call({ method: 'PUT', target, token, json: vote })).status).toBe(404);
    expect(await running(app)).toMatchObject({ state: 'waiting', waitMs: 10 * DAY });
    await person.open(cancel);
    await person.send({});
    await person.open(cancel);
    expect(person.last?.text).not.toContain('<form');
    expect((await recorded(app)).filter((event) => event === 'cancelled')).toHaveLength(1);
  });

  test('attack 343: another number, or none, after the beginning → the first one is told, and cancels', async () => {
    await starts();
    await confirmed();
    await begin(app);
    await app.proxy.sendNotices();
    const [begun] = taken();
    const { id } = await running(app);
    await app.storage.commit([BOB], removeRecoveryContacts(BOB));
    await wait(app, 7 * DAY);
    await app.proxy.sendNotices();
    expect(taken()).toMatchObject([{ to: NUMBER, text: expect.stringContaining(link(begun?.text)) }]);
    expect((await running(app)).id).toBe(id);
    // A change by who has password and factor ends the request, and its number is told so.
    expect((await set('+4915187654321')).status).toBe(200);
    const texts = taken();
    expect(texts.find(({ to }) => to === NUMBER)?.text).toContain('was cancelled');
    expect(texts.map(({ to }) => to).sort()).toEqual([NUMBER, '+4915187654321']);
  });

  test('attack 340: what is no number of E.164 is refused before a proof, and reaches no gateway', async () => {
    await starts(', prefixes: ["+49", "+43"]');
    for (const address of [
      ...['4915112345678', '+49 151 12345678', '+0151', '+4915', '+49151123456789012', '+١٥١١٢٣٤٥٦٧٨'],
      ...[`${NUMBER}\r\nX-Header: 1`, `${NUMBER}","text":"x`, `${NUMBER}&Body=x`, `${NUMBER},${NUMBER}`],
      ...['bob@example.org', '+12025550170', '', `${NUMBER}\u0000`],
    ]) {
      const json = { contact: { kind: 'phone', address } };
      expect((await app.call({ method: 'PUT', target: API, token, json })).status).toBe(400);
    }
    const json = { contact: { kind: 'mail', address: 'bob@example.org' } };
    expect((await app.call({ method: 'PUT', target: API, token, json })).json).toMatchObject({
      ...{ errcode: 'M_INVALID_PARAM', error: 'This server sends no mail.' },
    });
    await app.proxy.sendNotices();
    expect(taken()).toEqual([]);
    expect((await set('+43664123456')).status).toBe(200);
    expect(taken()).toMatchObject([{ to: '+43664123456' }]);
  });

  test('attack 341: a gateway that fails delays nothing; the message goes out later under its id, or is a dead letter', async () => {
    await starts();
    gateway.answers(503);
    expect((await set(NUMBER)).status).toBe(200);
    gateway.answers(204);
    app.live(HOUR);
    await app.proxy.sendNotices();
    const ids = gateway.hooks.map(({ headers }) => headers['idempotency-key']);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    gateway.answers(422);
    await set('+4915187654321');
    const dead = ask<object>('SELECT channel, failure FROM notices WHERE due_at IS NULL');
    expect(await app.storage.read(dead)).toEqual([{ channel: 'sms', failure: 'the gateway answered 422' }]);
  });

  test('attack 344: links are sent three times at once, and one more each eight hours, to an owner and to a number', async () => {
    await starts();
    const another = await app.startAnother();
    app.live(30_000);
    const codes = [...bob.recoveryCodes, app.code(bob)];
    const flood = await Promise.all(
      codes.map((code, n) =>
        put({ kind: 'phone', address: `+491511234567${n}` }, { at: n % 2 === 0 ? app : another, code }),
      ),
    );
    expect(flood.length).toBeGreaterThan(3);
    const sent = flood.filter(({ status }) => status === 200);
    expect(sent).toHaveLength(3);
    const limited = flood.find(({ status }) => status === 429);
    expect(limited?.json).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: expect.any(Number) });
    await Promise.all([app.proxy.sendNotices(), another.proxy.sendNotices()]);
    expect(taken().length).toBeLessThanOrEqual(3);
    // What stands there is not asked for again, and taking it away costs nothing.
    const { contact } = (await app.call({ target: API, token })).json;
    expect((await set(String((contact as JsonObject).address))).status).toBe(200);
    app.live(8 * HOUR);
    expect((await set(NUMBER)).status).toBe(200);
    expect((await set('+4915187654321')).status).toBe(429);
    expect((await app.call({ target: API, token })).json.contact).toMatchObject({ address: NUMBER });
    expect(taken()).toHaveLength(1);
  });

  test('attack 344: many owners send few links to one number', async () => {
    await starts();
    const statuses: number[] = [];
    for (const name of ['alice', 'carol']) {
      const person = await app.enrol(name);
      const own = app.stub.signIn(name).token;
      // It is taken away each time: a number is not asked again while its link is good.
      for (const contact of [
        { kind: 'phone', address: NUMBER },
        null,
        { kind: 'phone', address: NUMBER },
        null,
      ]) {
        app.live(30_000);
        const from = { code: app.code(person), who: person.userId, by: own };
        statuses.push((await put(contact, from)).status);
      }
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 200]);
  });

  test('is refused where no text messages are sent', async () => {
    const options: AppOptions = { config: 'account_recovery: { enabled: true }' };
    const without = await start({ users: [{ name: 'bob', password: PASSWORD }], ...options });
    await without.enrol('bob');
    const own = without.stub.signIn('bob').token;
    const json = { contact: { kind: 'phone', address: NUMBER } };
    const { status, json: refused } = await without.call({ method: 'PUT', target: API, token: own, json });
    expect([status, refused.errcode, refused.error]).toEqual([
      ...[400, 'M_INVALID_PARAM', 'This server sends no text messages.'],
    ]);
  });
});
