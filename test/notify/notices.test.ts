import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';
import {
  type AccountApp,
  DORAS_PASSWORD,
  dorasPassword,
  RECOVERY_API,
  STATE,
  startAccount,
} from '../account/account.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import { until } from '../support/until.ts';
import {
  type HookReceiver,
  type MailReceiver,
  startHookReceiver,
  startLiar,
  startMailReceiver,
  verifies,
} from './receivers.ts';

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const SECRET_FILE = join(tmpdir(), `notices-hook-secret-${process.pid}`);
const DELETE_ADDRESS = '/_matrix/client/v3/account/3pid/delete';
const WEEK = 7 * 24 * HOUR;

let mail: MailReceiver;
let hook: HookReceiver;

beforeEach(async () => {
  writeFileSync(SECRET_FILE, SECRET);
  mail = await startMailReceiver();
  hook = await startHookReceiver();
});
afterEach(async () => {
  await mail.stop();
  await hook.stop();
});

describeOnBothDatabases('notices', (start: StartApp) => {
  /** Dora has one mail address; what is due goes out in `sent`. */
  async function begin({ port = mail.port, url = hook.url } = {}) {
    const config = `notify:
  mail: { from: 2fa@example.org, port: ${port} }
  webhook: { url: "${url}", secret_file: "${SECRET_FILE}", events: ["totp.*", factor.refused] }`;
    const users = [
      { name: 'dora', password: DORAS_PASSWORD, emails: ['dora@example.org'] },
      { name: 'eve', password: 'eves password' },
    ];
    const account = await startAccount({ config, users }, start);
    return { account, sent: () => account.app.proxy.sendNotices() };
  }

  /** Signs in with the password and a code that is wrong. */
  async function enterWrongCode({ app }: AccountApp): Promise<void> {
    const challenge = await app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
    const auth = { type: 'm.login.2fa.totp', session: challenge.json.session as string, token: '000000' };
    await app.post(LOGIN, { auth });
  }

  test('turning 2FA on is told by mail and to the hook, with one id at each attempt, and a signature', async () => {
    const { account, sent } = await begin();
    hook.answers(500);
    await account.turnOn();
    await sent();
    expect(mail.mails).toHaveLength(1);
    const [told] = mail.mails;
    expect(told).toMatchObject({ from: '2fa@example.org', to: ['dora@example.org'] });
    expect(told?.header('Subject')).toBe('[localhost] Two-factor authentication was turned on');
    expect(told?.header('Message-ID')).toMatch(/^<[\w.-]+@matrix\.example\.org>$/);
    expect(told?.header('Auto-Submitted')).toBe('auto-generated');
    expect(told?.text).toContain('Account: @dora:localhost\r\n');
    expect(told?.text).toContain('Device: DORASPHONE\r\n');

    hook.answers(204);
    account.app.clock.advance(5000);
    await sent();
    expect(hook.hooks).toHaveLength(2);
    const [first, second] = hook.hooks;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.json).toMatchObject({ event: 'totp.enabled', user_id: '@dora:localhost', actor: 'user' });
    expect(second?.json.id).toBe(second?.headers['webhook-id']);
    for (const each of hook.hooks) expect(verifies(each, SECRET, account.app.clock.now())).toBe(true);
    await sent();
    expect([mail.mails.length, hook.hooks.length]).toEqual([1, 2]);
  });

  test('attack 194: a hook that was forged or is replayed later does not verify, and no redirect is followed', async () => {
    const other = await startHookReceiver();
    const { account, sent } = await begin();
    hook.answers(307, { location: other.url });
    await account.turnOn();
    await sent();
    await other.stop();
    expect(other.hooks).toEqual([]);
    const [received] = hook.hooks;
    if (received === undefined) throw new Error('nothing was sent');
    const now = account.app.clock.now();
    expect(verifies(received, SECRET, now)).toBe(true);
    expect(verifies(received, SECRET, now + 6 * MINUTE)).toBe(false);
    expect(verifies({ ...received, body: `${received.body} ` }, SECRET, now)).toBe(false);
    const renamed = { ...received, headers: { ...received.headers, 'webhook-id': 'other' } };
    expect(verifies(renamed, SECRET, now)).toBe(false);
    expect(verifies(received, `whsec_${Buffer.alloc(32, 6).toString('base64')}`, now)).toBe(false);
    const waiting = ask<{ failure: string }>('SELECT failure FROM notices');
    expect(await account.app.storage.read(waiting)).toEqual([{ failure: 'the receiver answered 307' }]);
  });

  test('the language is that of the last visit to one of our pages, and no other program sets it', async () => {
    const { account, sent } = await begin();
    const { app, dora } = account;
    const on = await account.turnOn();
    const visit = (site: string, language: string) =>
      app.call({
        target: STATE,
        token: dora,
        headers: { 'Sec-Fetch-Site': site, 'Accept-Language': language },
      });
    await visit('same-origin', 'de-AT, en;q=0.5');
    await visit('cross-site', 'en');
    await app.call({
      target: STATE,
      token: 'invented',
      headers: { 'Sec-Fetch-Site': 'same-origin', 'Accept-Language': 'en' },
    });
    const owners = ask<{ language: string | null }>('SELECT language FROM notice_owners');
    await until(async () => (await app.storage.read(owners))[0]?.language === 'de');
    await account.ask('POST', RECOVERY_API, dora, { auth: dorasPassword(on.freshCode()) });
    await sent();
    await sent();
    expect(mail.mails.map((each) => each.header('Subject'))).toContain(
      '[localhost] Deine Wiederherstellungscodes wurden ersetzt',
    );
    expect(mail.mails.at(-1)?.text).toContain('Konto: @dora:localhost');
  });

  test('attack 190: no notice holds a code, the seed, a token, a session, a password or a URL', async () => {
    const { account, sent } = await begin();
    const { app, dora } = account;
    const on = await account.turnOn();
    const code = on.freshCode();
    await account.ask('POST', RECOVERY_API, dora, { auth: dorasPassword(code) });
    const challenge = await app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD));
    const session = challenge.json.session as string;
    await app.post(LOGIN, {
      auth: { type: 'm.login.2fa.recovery', session, token: on.recoveryCodes[0] ?? '' },
    });
    await sent();
    await sent();
    expect(mail.mails.map((each) => each.header('Subject'))).toHaveLength(2);
    const all = [
      ...mail.mails.map(({ raw, text }) => raw + text),
      ...hook.hooks.map(({ body }) => body),
    ].join('\n');
    for (const secret of [code, dora, session, DORAS_PASSWORD, ...on.recoveryCodes]) {
      expect(all).not.toContain(secret);
    }
    expect(all).not.toMatch(/https?:|www\./);
  });

  test('attack 191: wrong codes are told with the first wait, then once an hour, however many there are', async () => {
    const { account, sent } = await begin();
    await account.turnOn();
    await sent();
    const subjects = () => mail.mails.slice(1).map((each) => each.header('Subject'));
    for (let n = 0; n < 2; n += 1) await enterWrongCode(account);
    await sent();
    expect(subjects()).toEqual([]);
    for (let n = 0; n < 12; n += 1) {
      await enterWrongCode(account);
      account.app.clock.advance(3 * MINUTE);
    }
    await sent();
    expect(subjects()).toEqual(['[localhost] Wrong codes were entered']);
    account.app.clock.advance(HOUR);
    for (let n = 0; n < 3; n += 1) await enterWrongCode(account);
    await sent();
    expect(subjects()).toHaveLength(2);
  });

  test('attack 193: an address that was removed is told seven days more, and one that was never seen as well', async () => {
    const { account, sent } = await begin();
    const { app, dora } = account;
    const on = await account.turnOn();
    await sent();
    const body = { medium: 'email', address: 'dora@example.org' };
    const removed = await account.ask('POST', DELETE_ADDRESS, dora, {
      ...body,
      auth: dorasPassword(on.freshCode()),
    });
    expect(removed.status).toBe(200);
    // The homeserver names it no longer when it is asked the next day.
    app.clock.advance(25 * HOUR);
    const renew = async () => {
      const code = on.freshCode();
      const { status } = await account.ask('POST', RECOVERY_API, dora, { auth: dorasPassword(code) });
      expect(status).toBe(200);
      await sent();
      await sent();
    };
    await renew();
    expect(mail.mails).toHaveLength(2);
    app.clock.advance(6 * 24 * HOUR);
    await renew();
    expect(mail.mails).toHaveLength(3);
    app.clock.advance(WEEK);
    await app.proxy.keepHouse();
    await renew();
    expect(mail.mails).toHaveLength(3);
  });

  test('attack 192: channels that hang or lie delay no request, and break nothing', async () => {
    const liar = await startLiar((socket) => {
      socket.write('220 hello\r\n');
      socket.on('data', () => socket.write('250-\u0000\u001b[2J\r\n\r\nnonsense\r\n'));
    });
    const hanging = await startLiar(() => undefined);
    const { account } = await begin({ port: liar.port, url: `http://127.0.0.1:${hanging.port}/` });
    await account.turnOn();
    let isOver = false;
    const round = account.app.proxy.sendNotices().finally(() => {
      isOver = true;
    });
    for (let n = 0; n < 3; n += 1) await enterWrongCode(account);
    expect(isOver).toBe(false);
    await liar.stop();
    await hanging.stop();
    await round;
    const failures = ask<{ failure: string | null }>('SELECT failure FROM notices WHERE attempts > 0');
    const found = await account.app.storage.read(failures);
    expect(found.length).toBeGreaterThan(0);
    for (const { failure } of found) expect(failure).toMatch(/^[\w .]*$/);
  });
});
