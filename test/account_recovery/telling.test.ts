import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Recipients } from '../../src/account_recovery/recipients.ts';
import { shownAddress } from '../../src/account_recovery/shown_address.ts';
import { effect } from '../../src/storage/statement.ts';
import { listRecipients } from '../../src/storage/tables/recovery_notices.ts';
import { systemRandom } from '../../src/system/random.ts';
import { freePort } from '../../tools/free_port.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import { testVault } from '../support/test_vault.ts';
import { BOB, begin, DAY, HOUR, PASSWORD, running, startRecovering, wait } from './recovering.ts';

const LINK = /https:\/\/matrix\.example\.org\/_2fa\/recover\/cancel\?t=([\w-]{27})\r?\n/;
const OWN = 'as_token_of_the_proxy_itself';
const asService = {
  applicationServices: [{ token: OWN, senderLocalpart: 'two-factor', prefix: '' }],
  ownToken: OWN,
};
const TO = ['bob@example.com', 'bob@example.org', 'ops@example.org'];

let mail: MailReceiver;
beforeEach(async () => {
  mail = await startMailReceiver();
});
afterEach(() => mail.stop());

describeOnBothDatabases('telling of a recovery request', (start: StartApp) => {
  /** Bob has two addresses, and the server an operator who is told. */
  async function recovering(section = 'wait: 72h', port = mail.port, more = {}): Promise<TestApp> {
    const { app } = await startRecovering(
      start,
      `{ enabled: true, ${section}, operators: [ops@example.org, bob@example.org] }`,
      {
        config: `policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${port} } }`,
        users: [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org', 'bob@example.com'] }],
        ...more,
      },
    );
    return app;
  }

  /** What came since the last call: of each mail its recipient and the token of its link. */
  const taken = () =>
    new Map(mail.mails.splice(0).map(({ to, text }) => [to[0] ?? '', LINK.exec(text)?.[1]]));

  async function passes(app: TestApp, ms: number): Promise<void> {
    await wait(app, ms);
    await app.proxy.sendNotices();
  }

  test('everybody, at each occasion once, each with a link of their own that stays the same', async () => {
    const app = await recovering('wait: 10d, notice_every: 7d');
    const begun = await begin(app);
    expect(begun.json.told).toEqual([
      { channel: 'mail', address: 'b•••@e•••.org' },
      { channel: 'mail', address: 'b•••@e•••.com' },
      { channel: 'mail', address: 'o•••@e•••.org' },
    ]);
    await begin(app);
    await app.proxy.sendNotices();
    expect(mail.mails.map(({ to }) => to[0]).sort()).toEqual(TO);
    expect(mail.mails[0]?.header('Subject')).toMatch(/^\[localhost\] Recovery of .* was started$/);
    const first = taken();
    expect(new Set(first.values()).size).toBe(TO.length);
    expect([...first.values()]).not.toContain(undefined);

    for (const subject of ['is under way', 'opens within a day', 'is possible now']) {
      await passes(app, subject === 'is under way' ? 7 * DAY : 2 * DAY - HOUR);
      expect(mail.mails.map((each) => each.header('Subject')?.endsWith(subject))).toEqual([true, true, true]);
      expect(taken()).toEqual(first);
      await passes(app, HOUR);
      expect(mail.mails).toEqual([]);
    }
    await passes(app, 7 * DAY);
    expect(mail.mails).toHaveLength(TO.length);
    expect(mail.mails[0]?.text).not.toContain('http');
  });

  test('attack 271: what is removed afterwards takes no one from the list', async () => {
    const app = await recovering();
    await begin(app);
    await app.storage.commit([], effect('DELETE FROM notice_addresses'));
    await app.proxy.sendNotices();
    expect([...taken().keys()].sort()).toEqual(TO);
  });

  test('attack 279: a device that is used meanwhile → the operators are told within the hour, once, by whichever process', async () => {
    const app = await recovering('wait: 72h', mail.port, asService);
    const other = await app.startAnother();
    await begin(app);
    let seen = app.clock.now() - 1;
    app.stub.override(/GET .*\/v3\/devices\?user_id=/, () => ({
      status: 200,
      body: { devices: [{ device_id: 'MINE', last_seen_ts: seen }] },
    }));
    await app.proxy.sendNotices();
    expect(mail.mails[0]?.text).toMatch(/^Address: \S*127\.0\.0\.1\r?$/m);
    taken();
    await passes(app, HOUR);
    expect(mail.mails).toEqual([]);
    seen = app.clock.now();
    for (let hours = 0; hours < 3; hours += 1) {
      app.live(HOUR);
      await Promise.all([app.proxy.keepHouse(), other.proxy.keepHouse()]);
      await app.proxy.sendNotices();
    }
    expect(mail.mails.map(({ to }) => to[0])).toEqual(['ops@example.org']);
    expect(mail.mails[0]?.header('Subject')).toContain('A device was used');
    expect((await running(app)).state).toBe('waiting');
  });

  test('a dead mail server delays nothing, and loses nothing', async () => {
    await mail.stop();
    const port = await freePort();
    const app = await recovering('wait: 72h', port);
    expect((await begin(app)).status).toBe(200);
    await app.proxy.sendNotices();
    mail = await startMailReceiver({}, port);
    app.clock.advance(HOUR);
    await app.proxy.sendNotices();
    expect([...taken().keys()].sort()).toEqual(TO);
  });

  test('attack 272: addresses and links stand sealed or hashed in the database', async () => {
    const app = await recovering();
    await begin(app);
    await app.proxy.sendNotices();
    const { id } = await running(app);
    const rows = await app.storage.read(listRecipients(id));
    const text = rows
      .map((row) => Object.values(row).map((value) => Buffer.from(value).toString('latin1')))
      .join();
    for (const [address, token] of taken()) {
      expect(text).not.toContain(address);
      expect(text).not.toContain(token);
    }
  });
});

test('each is named once, by what they are first', async () => {
  const recipients = new Recipients({
    ...{ vault: testVault(), random: systemRandom },
    addresses: { of: async () => ['bob@example.org'] },
    namedBy: async () => ({
      voters: ['@carol:localhost'],
      contact: { kind: 'phone', address: '+491701234567' },
    }),
    roomAdminsOf: async () => ['@carol:localhost', '@dan:localhost'],
    operators: () => ['@root:localhost', 'bob@example.org'],
  });
  const named = (await recipients.of(BOB)).map(
    ({ role, channel, address }) => `${role} ${channel} ${address}`,
  );
  expect(named).toEqual([
    'owner matrix @bob:localhost',
    'owner mail bob@example.org',
    'contact sms +491701234567',
    'operator matrix @root:localhost',
    'voter matrix @carol:localhost',
    'room_admin matrix @dan:localhost',
  ]);
});

test('addresses that are shown tell just enough to know them again', () => {
  const shown = ['alice@mail.example.org', '@alice:example.org', '@bob:localhost', '+491701234567'];
  expect(shown.map(shownAddress)).toEqual(['a•••@m•••.org', '@a•••:e•••.org', '@b•••:l•••', '+49•••67']);
});
