import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { HOUR } from '../../src/system/clock.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { judgeAll } from '../support/judged.ts';
import { Visitor } from '../support/visitor.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts';
const BOB = '@bob:localhost';
const ADDRESS = 'bobs.friend@example.org';

let mail: MailReceiver;
beforeEach(async () => {
  mail = await startMailReceiver();
});
afterEach(() => mail.stop());

describeOnBothDatabases('the contact address for a recovery', (start: StartApp) => {
  let app: TestApp;
  let bob: Enrolled;
  let token: string;

  async function begin(config = 'account_recovery: { enabled: true }'): Promise<void> {
    const notify = `notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`;
    app = await start({
      users: [{ name: 'bob', password: 'bobs password' }],
      config: `${notify}\n${config}`,
    });
    bob = await app.enrol('bob');
    token = app.stub.signIn('bob').token;
  }

  async function put(contact: { kind: string; address: string } | null) {
    app.clock.advance(30_000);
    const identifier = { type: 'm.id.user', user: BOB };
    const password = `bobs password ${app.code(bob)}`;
    const json = { contact, auth: { type: 'm.login.password', identifier, password } };
    const answer = await app.call({ method: 'PUT', target: API, token, json });
    expect(judgeAll({ method: 'PUT', path: API, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  }

  const set = async (address: string) => {
    expect((await put({ kind: 'mail', address })).status).toBe(200);
    await app.proxy.sendNotices();
  };
  const shown = async () => (await app.call({ target: API, token })).json.contact;
  const events = async () => (await app.storage.audit.list({ userId: BOB })).map(({ event }) => event);

  /** The link in the newest mail that has one. */
  function link(): string {
    const text = mail.mails.findLast((each) => each.text.includes('/_2fa/recover/contact'))?.text ?? '';
    const [, path = ''] =
      /https:\/\/matrix\.example\.org(\/_2fa\/recover\/contact\?t=[\w-]{27})\r?\n/.exec(text) ?? [];
    return path;
  }

  test('a link whose day is over, as the mail server was away, is not sent', async () => {
    await begin();
    await mail.stop();
    await set(ADDRESS);
    app.clock.advance(25 * HOUR);
    mail = await startMailReceiver({}, mail.port);
    await app.proxy.sendNotices();
    expect(mail.mails).toEqual([]);
    expect(await app.storage.read(ask('SELECT id FROM notices'))).toEqual([]);
  });

  test('attack 270: is told nothing until the button behind the link in its mail was pressed; the link itself changes nothing', async () => {
    await begin();
    await set(ADDRESS);
    expect(mail.mails.map(({ to }) => to)).toEqual([[ADDRESS]]);
    const [asked] = mail.mails;
    expect(asked?.header('Subject')).toBe('[localhost] Confirm your contact address');
    expect(asked?.text).toContain(BOB);
    expect(await shown()).toEqual({ kind: 'mail', address: ADDRESS, confirmed_ts: null });

    // A scanner of mail follows it, with cookies too, and another one posts what it finds.
    const scanner = new Visitor(app.url);
    for (let times = 0; times < 3; times += 1) expect((await scanner.open(link())).status).toBe(200);
    expect(scanner.last?.text).toContain(ADDRESS);
    expect(scanner.last?.headers['referrer-policy']).toBe('no-referrer');
    expect((await new Visitor(app.url).postOnly({}, {}, link())).status).toBe(403);
    expect(await shown()).toMatchObject({ confirmed_ts: null });

    const person = new Visitor(app.url);
    await person.open(link());
    app.clock.advance(1000);
    const done = await person.send({});
    expect([done.status, person.sent?.status]).toEqual([200, 303]);
    expect(done.text).toContain('Contact address confirmed');
    expect(await shown()).toEqual({ kind: 'mail', address: ADDRESS, confirmed_ts: app.clock.now() });
    expect(await events()).toContain('recovery_contacts.confirmed');
    expect((await person.open(link())).status).toBe(404);
    expect((await scanner.send({})).status).toBe(404);

    // The same address again stays confirmed, and gets no further mail.
    await set(ADDRESS);
    expect(await shown()).toMatchObject({ confirmed_ts: expect.any(Number) });
    expect(mail.mails.filter(({ to }) => to.includes(ADDRESS))).toHaveLength(1);
  });

  test('attack 270: a link is for its own address, and for a day', async () => {
    await begin();
    await set(ADDRESS);
    const first = link();
    await set('another@example.org');
    expect(link()).not.toBe(first);
    const person = new Visitor(app.url);
    expect((await person.open(first)).status).toBe(404);
    await person.open(link());
    app.clock.advance(24 * HOUR);
    expect((await person.send({})).status).toBe(404);
    expect(await shown()).toMatchObject({ address: 'another@example.org', confirmed_ts: null });
    // After that time the same address gets another mail.
    const second = link();
    await set('another@example.org');
    expect(link()).not.toBe(second);
    await put(null);
    expect(await shown()).toBeNull();
    expect((await person.open(link())).status).toBe(404);
    for (const t of ['', 'A'.repeat(27), 'x', encodeURIComponent("' OR 1=1")]) {
      expect((await person.open(`/_2fa/recover/contact?t=${t}`)).status).toBe(404);
    }
  });

  test('a mail whose address was taken back before it went out is not sent', async () => {
    await begin();
    await put({ kind: 'mail', address: ADDRESS });
    await put({ kind: 'mail', address: 'another@example.org' });
    await app.proxy.sendNotices();
    expect(mail.mails.map(({ to }) => to)).toEqual([['another@example.org']]);
  });

  test('attack 270: ten presses at once confirm it once', async () => {
    await begin();
    await set(ADDRESS);
    const another = await app.startAnother();
    const people = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const person = new Visitor(at % 2 === 0 ? app.url : another.url);
        await person.open(link());
        return person;
      }),
    );
    await Promise.all(people.map((person) => person.send({})));
    expect(people.filter(({ sent }) => sent?.status === 303)).toHaveLength(1);
    expect((await events()).filter((event) => event === 'recovery_contacts.confirmed')).toHaveLength(1);
  });

  test('what is no mail address is refused, and all of it where no mail is sent or recovery is off', async () => {
    await begin();
    for (const address of ['bob', 'a@b@c', 'bob@example.org\nBcc: x@example.org', '"x"@example.org']) {
      const json = { contact: { kind: 'mail', address } };
      expect((await app.call({ method: 'PUT', target: API, token, json })).status).toBe(400);
    }
    const json = { contact: { kind: 'phone', address: '+49301234567' } };
    expect((await app.call({ method: 'PUT', target: API, token, json })).status).toBe(400);
    const without = await start({
      users: [{ name: 'bob', password: 'bobs password' }],
      config: 'account_recovery: { enabled: true }',
    });
    await without.enrol('bob');
    const phone = without.stub.signIn('bob').token;
    const wanted = { contact: { kind: 'mail', address: ADDRESS } };
    expect((await without.call({ method: 'PUT', target: API, token: phone, json: wanted })).status).toBe(400);
    await begin('');
    expect((await new Visitor(app.url).open(`/_2fa/recover/contact?t=${'A'.repeat(27)}`)).status).toBe(404);
    expect((await new Visitor(app.url).open('/_2fa/recover/contact')).text).not.toContain('contact address');
  });
});
