import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { addNoticeAddress } from '../../src/storage/tables/notice_owners.ts';
import { addNotice } from '../../src/storage/tables/notices.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import {
  type HookReceiver,
  type MailReceiver,
  startHookReceiver,
  startMailReceiver,
  verifies,
} from '../notify/receivers.ts';
import { enrol } from '../support/enrolment.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const BOB = '@bob:example.org';
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const TOLD = {
  ...{ event: 'totp.enabled', userId: BOB, actor: 'user', address: null, deviceId: null, happenedAt: 1 },
  detail: {},
};

let line: CommandLine;
let storage: Storage;
let vault: SealingVault;
let mail: MailReceiver;
let hook: HookReceiver;

beforeEach(async () => {
  line = commandLine();
  mail = await startMailReceiver();
  hook = await startHookReceiver();
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:1');
  writeFileSync(join(line.folder, 'hook.secret'), SECRET);
  line.changeConfig(
    'trusted_proxies',
    `notify:
  mail: { from: 2fa@example.org, port: ${mail.port} }
  webhook: { url: "${hook.url}", secret_file: hook.secret }
  sms: { url: "${hook.url}" }
trusted_proxies`,
  );
  storage = await openSqliteStorage({ path: join(line.folder, 'data/2fa.db'), clock: line.clock });
  vault = new SealingVault(loadKeyRing(join(line.folder, 'data/keys.json')), systemRandom);
});
afterEach(async () => {
  await storage.close();
  await mail.stop();
  await hook.stop();
  line.remove();
});

async function knowAddress(address: string): Promise<void> {
  const sealedAddress = vault.seal(address, `notice-address:a1:${BOB}`);
  await storage.commit([BOB], addNoticeAddress({ id: 'a1', userId: BOB, sealedAddress }));
}

describe('notify test', () => {
  test('sends a mail to an address, or says why not', async () => {
    expect(await line.type('notify', 'test', '--mail', 'me@example.org')).toEqual({
      ...{ code: 0, out: 'sent to me@example.org', err: '' },
    });
    expect(mail.mails).toMatchObject([{ to: ['me@example.org'] }]);
    expect(mail.mails[0]?.header('Subject')).toContain('This is a test');
    await mail.stop();
    expect(await line.type('notify', 'test', '--mail', 'me@example.org')).toMatchObject({
      ...{ code: 1, out: '' },
      err: expect.stringContaining('not sent to me@example.org: '),
    });
  });

  test('sends to each address of a user', async () => {
    expect(await line.type('notify', 'test', '--user', BOB)).toMatchObject({ code: 1, out: '' });
    await knowAddress('bob@example.org');
    expect(await line.type('notify', 'test', '--user', BOB)).toMatchObject({ code: 0 });
    expect(mail.mails).toMatchObject([{ to: ['bob@example.org'] }]);
  });

  test('posts to the webhook, with a signature that holds', async () => {
    expect(await line.type('notify', 'test', '--webhook')).toMatchObject({ code: 0 });
    const [received] = hook.hooks;
    expect(received?.json).toMatchObject({ event: 'test', actor: 'operator' });
    expect(received && verifies(received, SECRET, line.clock.now())).toBe(true);
    hook.answers(503);
    expect(await line.type('notify', 'test', '--webhook')).toMatchObject({
      ...{ code: 1, err: expect.stringContaining('the receiver answered 503') },
    });
  });

  test('sends a text message to a number', async () => {
    const number = '+4915112345678';
    expect(await line.type('notify', 'test', '--sms', number)).toEqual({
      ...{ code: 0, out: `sent to ${number}`, err: '' },
    });
    expect(hook.hooks[0]?.json).toEqual({
      to: number,
      text: expect.stringMatching(/^\[\S+\] This is a test$/),
    });
    hook.answers(503);
    expect(await line.type('notify', 'test', '--sms', number)).toMatchObject({
      ...{ code: 1, err: expect.stringContaining('the gateway answered 503') },
    });
    expect(await line.type('notify', 'test', '--sms', '0151 1234567')).toMatchObject({ code: 2 });
  });

  test('attack 189: one address is one recipient', async () => {
    for (const address of [
      'a@b.org, eve@x.org',
      'a@b.org\r\nBcc: eve@x.org',
      '"a b"@x.org',
      'a@b.org>',
      '<a@b.org',
    ]) {
      expect(await line.type('notify', 'test', '--mail', address)).toMatchObject({ code: 2 });
    }
    expect(mail.mails).toEqual([]);
  });

  test.each([[[]], [['--webhook', '--mail', 'a@b.org']], [['--user', 'bob']]])(
    'wrong usage: %j',
    async (words) => {
      expect(await line.type('notify', 'test', ...words)).toMatchObject({ code: 2 });
    },
  );
});

describe('notify dead-letters', () => {
  const waiting = () =>
    storage.read(
      ask<{ id: string }>(
        "SELECT id FROM notices WHERE due_at IS NOT NULL AND event = 'totp.enabled' ORDER BY id",
      ),
    );

  beforeEach(async () => {
    for (const id of ['n1', 'n2', 'n3']) await storage.commit([BOB], addNotice(id, 'webhook', TOLD));
    await storage.commit(
      [],
      effect("UPDATE notices SET due_at = NULL, failure = 'HTTP 410' WHERE id <> 'n3'"),
    );
  });

  test('lists them, for people and programs', async () => {
    const { out } = await line.type('notify', 'dead-letters');
    expect(out).toMatch(/^ID +CHANNEL/);
    expect(out).toContain('HTTP 410');
    const { out: json } = await line.type('notify', 'dead-letters', '--json');
    expect(JSON.parse(json)).toMatchObject([
      { id: 'n1', channel: 'webhook', event: 'totp.enabled', user_id: BOB, failure: 'HTTP 410' },
      { id: 'n2' },
    ]);
  });

  test('tries one again, or all; drops one, or all', async () => {
    expect(await line.type('notify', 'dead-letters', '--retry', 'n1')).toMatchObject({ code: 0 });
    expect(await waiting()).toEqual([{ id: 'n1' }, { id: 'n3' }]);
    expect(await line.type('notify', 'dead-letters', '--retry', 'n1')).toMatchObject({ code: 1 });
    expect(await line.type('notify', 'dead-letters', '--drop', 'n3')).toMatchObject({ code: 1 });
    expect(await line.type('notify', 'dead-letters', '--drop', 'all', '--json')).toMatchObject({
      out: expect.stringContaining('"dropped": 1'),
    });
    expect(await line.type('notify', 'dead-letters')).toMatchObject({ out: 'There are no dead letters.' });
    expect(await line.type('notify', 'dead-letters', '--drop', 'n1', '--retry', 'n1')).toMatchObject({
      code: 2,
    });
  });
});

test('user reset is told: the notice is written with the record', async () => {
  await enrol({ store: storage.factors, vault, clock: line.clock }, BOB);
  const grounds = ['--reason', 'lost', '--verified-by', 'passport seen', '--yes'];
  expect(await line.type('user', 'reset', BOB, ...grounds)).toMatchObject({ code: 0 });
  const written = ask('SELECT channel, event, actor FROM notices ORDER BY channel');
  expect(await storage.read(written)).toEqual([
    { channel: 'mail', event: 'operator.reset', actor: expect.stringMatching(/^operator:./) },
    { channel: 'webhook', event: 'operator.reset', actor: expect.stringMatching(/^operator:./) },
  ]);
});
