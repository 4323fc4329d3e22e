import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import type { NotifyConfig } from '../../src/config/config.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { type ChannelSender, NotDelivered } from '../../src/notify/channel.ts';
import { changeDeadLetters } from '../../src/notify/dead_letter.ts';
import { Delivery } from '../../src/notify/delivery.ts';
import { Outbox } from '../../src/notify/outbox.ts';
import { ask, type Driver, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { addNoticeAddress } from '../../src/storage/tables/notice_owners.ts';
import {
  addNotice,
  CHANNELS,
  type Channel,
  leaseNotices,
  listDeadLetters,
  type NoticeRow,
} from '../../src/storage/tables/notices.ts';
import { HOUR, SECOND } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { describeOnBothStores, replicasOf } from '../storage/on_both.ts';
import { chainOf } from '../support/entries.ts';

const BOB = '@bob:example.org';
const TOLD = {
  ...{
    event: 'totp.enabled',
    userId: BOB,
    actor: 'user',
    address: '192.0.2.1',
    deviceId: null,
    happenedAt: 1,
  },
  detail: { place: 'login' },
};
const NOTIFY = {
  ...{ language: 'en', retryFirstMs: 5 * SECOND, giveUpAfterMs: 48 * HOUR },
  mail: { from: 'a@example.org', host: 'localhost', port: 25, security: 'none', credentials: undefined },
  matrix: { userId: '@2fa:example.org', accessToken: 'x' },
  webhook: { url: 'http://localhost', secret: Buffer.alloc(24), events: ['*'] },
  sms: {
    ...{ url: 'http://localhost', method: 'POST', headers: {}, format: 'json', body: '""' },
    ...{ secret: undefined, prefixes: undefined },
  },
} as const satisfies NotifyConfig;

const NOTIFY_NONE: NotifyConfig = {
  ...NOTIFY,
  ...{ mail: undefined, matrix: undefined, webhook: undefined, sms: undefined },
};

/** Senders that do what a test says, and note what they were given. */
function sendersThat(send: (notice: NoticeRow, signal: AbortSignal) => Promise<'sent'>) {
  const seen: NoticeRow[] = [];
  const sender: ChannelSender = {
    send: (notice, signal) => {
      seen.push(notice);
      return send(notice, signal);
    },
  };
  return { seen, senders: { mail: sender, matrix: sender, webhook: sender, sms: sender } };
}

describeOnBothStores('the outbox', (opened) => {
  let storage: Storage;
  const results: string[] = [];
  beforeEach(() => {
    storage = opened.storage;
    results.length = 0;
  });

  const deliveryOf = (
    senders: Readonly<Record<Channel, ChannelSender>>,
    { on = storage, notify = NOTIFY as NotifyConfig, tryMs = 1000 } = {},
  ) =>
    new Delivery({
      audit: auditOf(on, notify),
      ...{ storage: on, notify: () => notify, senders, log: silentLog, tryMs },
      onResult: (channel, result) => results.push(`${channel} ${result}`),
    });
  /** As `serve` has it: what is on record is told. */
  const auditOf = (on: Storage, notify: NotifyConfig) => {
    const outbox = new Outbox({ notify: () => notify, random: systemRandom });
    return new Audit({
      ...{ storage: on, chain: chainOf(on), clock: opened.clock },
      consequences: (entry) => outbox.consequencesOf(entry),
    });
  };
  /** What is on record of dead letters, the newest first. */
  const onRecord = async () =>
    (await storage.audit.list({})).map(({ event, actor, detail }) => ({ event, actor, detail }));
  const add = (id: string, channel: Channel = 'webhook', on: Driver = storage) =>
    on.commit([BOB], addNotice(id, channel, TOLD));
  const all = () =>
    storage.read(
      ask<{ id: string; dueAt: number | null; attempts: number }>(
        'SELECT id, due_at AS "dueAt", attempts FROM notices ORDER BY id',
      ),
    );
  const refusing = (error: Error) => sendersThat(() => Promise.reject(error));

  test('what is sent is gone; a receiver gets what stands in the audit', async () => {
    await add('n1');
    const { seen, senders } = sendersThat(() => Promise.resolve('sent'));
    await deliveryOf(senders).round();
    expect(seen).toMatchObject([
      { id: 'n1', event: 'totp.enabled', userId: BOB, address: '192.0.2.1', detail: '{"place":"login"}' },
    ]);
    expect(await all()).toEqual([]);
    expect(results).toEqual(['webhook sent']);
  });

  test('waits double from the first to an hour; after the end of its time it is a dead letter', async () => {
    await add('n1');
    const delivery = deliveryOf(refusing(new NotDelivered('HTTP 500')).senders);
    const waits: number[] = [];
    const begun = opened.clock.now();
    for (;;) {
      await delivery.round();
      const [row] = await all();
      if (row?.dueAt == null) break;
      waits.push(Number(row.dueAt) - opened.clock.now());
      opened.clock.set(Number(row.dueAt));
    }
    expect(waits.slice(0, 11).map((ms) => Math.round(ms / SECOND))).toEqual([
      ...[5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600],
    ]);
    expect(opened.clock.now() - begun).toBeLessThanOrEqual(48 * HOUR);
    expect(opened.clock.now() - begun).toBeGreaterThan(46 * HOUR);
    expect(results.at(-1)).toBe('webhook dead');
    expect(await storage.read(listDeadLetters())).toMatchObject([{ id: 'n1', failure: 'HTTP 500' }]);
  });

  test('a refusal for good is a dead letter at once; it can be tried again, or dropped', async () => {
    await add('n1');
    await add('n2');
    const refused = refusing(new NotDelivered('HTTP 410', true));
    await deliveryOf(refused.senders).round();
    expect((await storage.read(listDeadLetters())).map(({ id }) => id).sort()).toEqual(['n1', 'n2']);
    const deps = { storage, audit: auditOf(storage, NOTIFY_NONE) };
    expect(await changeDeadLetters(deps, 'retry', 'n1')).toBe(1);
    expect(await changeDeadLetters(deps, 'retry', 'other')).toBe(0);
    const { seen, senders } = sendersThat(() => Promise.resolve('sent'));
    await deliveryOf(senders).round();
    expect(seen.map(({ id }) => id)).toEqual(['n1']);
    expect(await changeDeadLetters(deps, 'drop', null)).toBe(1);
    expect(await all()).toEqual([]);
    const letter = { channel: 'webhook', what: 'totp.enabled', user: BOB, reason: 'HTTP 410' };
    const record = await onRecord();
    expect(record.slice(0, 2)).toEqual([
      { event: 'notice.dropped', actor: 'operator:', detail: { notice: 'all' } },
      { event: 'notice.retried', actor: 'operator:', detail: { notice: 'n1' } },
    ]);
    for (const notice of ['n1', 'n2']) {
      const dead = { event: 'notice.dead', actor: 'system', detail: { notice, ...letter } };
      expect(record.slice(2)).toContainEqual(dead);
    }
  });

  test('that a mail was given up is told to the webhook; that one of its own was is not', async () => {
    await add('n1', 'matrix');
    await add('n2');
    const { seen, senders } = sendersThat((notice) =>
      notice.event === 'notice.dead'
        ? Promise.resolve('sent')
        : Promise.reject(new NotDelivered('HTTP 410', true)),
    );
    const delivery = deliveryOf(senders);
    await delivery.round();
    await delivery.round();
    expect(await onRecord()).toHaveLength(2);
    const told = seen.filter(({ event }) => event === 'notice.dead');
    expect(told.map(({ channel, detail }) => [channel, JSON.parse(detail).channel])).toEqual([
      ['webhook', 'matrix'],
    ]);
    expect((await storage.read(listDeadLetters())).map(({ id }) => id).sort()).toEqual(['n1', 'n2']);
  });

  test('attack 192: killed between the sending and its mark, another process sends it again under the same id', async () => {
    const [one, other] = await replicasOf(opened);
    await add('n1');
    const [leased] = await one.commit([], leaseNotices('webhook', 30 * SECOND, 10));
    expect(leased).toMatchObject({ id: 'n1', attempts: 1 });
    const { seen, senders } = sendersThat(() => Promise.resolve('sent'));
    await deliveryOf(senders, { on: other }).round();
    expect(seen).toEqual([]);
    opened.clock.advance(30 * SECOND);
    await deliveryOf(senders, { on: other }).round();
    expect(seen).toMatchObject([{ id: 'n1', attempts: 2 }]);
  });

  test('two processes at once send each notice once', async () => {
    const [one, other] = await replicasOf(opened);
    for (let n = 0; n < 25; n += 1) await add(`n${n}`);
    const { seen, senders } = sendersThat(() => Promise.resolve('sent'));
    await Promise.all([deliveryOf(senders, { on: one }).round(), deliveryOf(senders, { on: other }).round()]);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(25);
    expect(seen).toHaveLength(25);
  });

  test('one whose lease was lost decides nothing any more', async () => {
    await add('n1');
    const slow = sendersThat(async () => {
      opened.clock.advance(31 * SECOND);
      await storage.commit([], leaseNotices('webhook', 30 * SECOND, 10));
      return 'sent';
    });
    await deliveryOf(slow.senders).round();
    expect(await all()).toMatchObject([{ id: 'n1', attempts: 2 }]);
  });

  test('attack 192: a channel that hangs is given up in time, and the others do not wait for it', async () => {
    await add('mail', 'matrix');
    await add('hook', 'webhook');
    const order: string[] = [];
    const hanging: ChannelSender = { send: () => new Promise(() => undefined) };
    const { senders } = sendersThat((notice) => {
      order.push(notice.id);
      return Promise.resolve('sent');
    });
    const delivery = deliveryOf({ ...senders, matrix: hanging }, { tryMs: 200 });
    const round = delivery.round().then(() => order.push('matrix given up'));
    await round;
    expect(order).toEqual(['hook', 'matrix given up']);
    expect(await all()).toMatchObject([{ id: 'mail', attempts: 1 }]);
  });

  /** A store that fails so many of the next commits. */
  const failingStore = () => {
    let fails = 0;
    let failed: () => void = () => undefined;
    const hasFailed = new Promise<void>((resolve) => {
      failed = resolve;
    });
    const commit = (...given: Parameters<Storage['commit']>) => {
      if (fails === 0) return storage.commit(...given);
      fails -= 1;
      failed();
      return Promise.reject(new Error('away'));
    };
    const fail = (count: number) => {
      fails = count;
    };
    return { on: { ...storage, commit } as Storage, hasFailed, fail };
  };

  test('attack 364: a store that fails for one notice ends no other attempt, and the end waits for that', async () => {
    await add('n1');
    await add('n2');
    const { on, hasFailed, fail } = failingStore();
    const ended: string[] = [];
    let go: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { senders } = sendersThat(async ({ id }) => {
      if (id === 'n2') return gone.then(() => 'sent' as const);
      fail(1);
      throw new NotDelivered('HTTP 500');
    });
    const delivery = deliveryOf(senders, { on });
    const round = delivery.round().then(() => ended.push('round'));
    await hasFailed;
    const stop = delivery.stop().then(() => ended.push('stop'));
    for (let turns = 0; turns < 20; turns += 1) await setImmediate();
    ended.push('n2 is sent');
    go();
    await Promise.all([round, stop]);
    expect(ended[0]).toBe('n2 is sent');
    expect(results).toEqual(['webhook sent']);
    expect(await all()).toMatchObject([{ id: 'n1', attempts: 1 }]);
  });

  test('attack 364: what was sent while the store failed is not sent again, and not called failed', async () => {
    await add('n1');
    const { on, fail } = failingStore();
    const { seen, senders } = sendersThat(async () => {
      fail(2);
      return 'sent';
    });
    const delivery = deliveryOf(senders, { on });
    await delivery.round();
    expect(results).toEqual([]);
    // The store is away still, and then the lease is over.
    await delivery.round();
    opened.clock.advance(HOUR);
    await delivery.round();
    expect(seen).toHaveLength(1);
    expect(results).toEqual(['webhook sent']);
    expect(await all()).toEqual([]);
  });

  test('what is found due at the end is left to the next start', async () => {
    await add('n1');
    const { seen, senders } = sendersThat(() => Promise.resolve('sent'));
    const delivery = deliveryOf(senders);
    const round = delivery.round();
    await delivery.stop();
    await round;
    expect(seen).toEqual([]);
    expect(await all()).toMatchObject([{ id: 'n1', attempts: 0 }]);
  });

  test('a mail becomes one for each address, each with its own outcome; without an address it is done', async () => {
    for (const id of ['a1', 'a2']) {
      const row = { id, userId: BOB, sealedAddress: Buffer.from(id) };
      await storage.commit([BOB], addNoticeAddress(row));
    }
    await add('m1', 'mail');
    await storage.commit([], addNotice('m2', 'mail', { ...TOLD, userId: '@eve:example.org' }));
    const { seen, senders } = sendersThat((notice) =>
      notice.recipient === 'a1' ? Promise.resolve('sent') : Promise.reject(new NotDelivered('550', true)),
    );
    await deliveryOf(senders, { notify: { ...NOTIFY, webhook: undefined } }).round();
    // An address may be learnt just now: it is looked for once more.
    expect(results).not.toContain('mail no_recipient');
    opened.at(opened.clock.now() + NOTIFY.retryFirstMs);
    await deliveryOf(senders, { notify: { ...NOTIFY, webhook: undefined } }).round();
    expect(seen.map(({ id, recipient }) => [id, recipient]).sort()).toEqual([
      ['m1.a1', 'a1'],
      ['m1.a2', 'a2'],
    ]);
    expect(await all()).toMatchObject([{ id: 'm1.a2', dueAt: null }]);
    expect(results.sort()).toEqual(['mail dead', 'mail failed', 'mail no_recipient', 'mail sent']);
  });

  test('what waits for a channel that was turned off is a dead letter after its time', async () => {
    await add('n1');
    const off = { ...NOTIFY, webhook: undefined };
    const delivery = deliveryOf(refusing(new Error('never asked')).senders, { notify: off });
    await delivery.round();
    expect(await all()).toMatchObject([{ attempts: 0 }]);
    opened.clock.advance(49 * HOUR);
    await deliveryOf(refusing(new Error('never asked')).senders, { notify: off }).round();
    expect(await storage.read(listDeadLetters())).toMatchObject([
      { id: 'n1', failure: 'the channel is off' },
    ]);
    const detail = { channel: 'webhook', reason: 'the channel is off' };
    expect(await onRecord()).toEqual([{ event: 'notice.dead', actor: 'system', detail }]);
  });

  test('attack 191: however many wait, all of them in one round, with one entry on record', async () => {
    const many = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
      INSERT INTO notices (id, channel, event, user_id, actor, detail, happened_at, made_at, due_at)
      SELECT 'n' || i, 'webhook', 'x', 'u', 'user', '{}', 1, 1, 1 FROM n`;
    await storage.commit([], effect(many));
    const off = { ...NOTIFY, webhook: undefined };
    await deliveryOf(refusing(new Error('never asked')).senders, { notify: off }).round();
    expect(await storage.read(listDeadLetters())).toHaveLength(1200);
    expect(await onRecord()).toHaveLength(1);
  });

  test('while all channels are off the store is not asked each second', async () => {
    const reads: object[] = [];
    const watched = {
      ...storage,
      read: (query: object) => Promise.resolve(reads.push(query)).then(() => []),
    };
    const delivery = deliveryOf(refusing(new Error('never asked')).senders, {
      ...{ on: watched as unknown as Storage, notify: NOTIFY_NONE },
    });
    for (let round = 0; round < 600; round += 1) await delivery.round();
    expect(reads).toHaveLength(CHANNELS.length);
    await delivery.round();
    expect(reads).toHaveLength(2 * CHANNELS.length);
  });

  test('attack 191: so many wait at most', async () => {
    const many = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO notices (id, channel, event, user_id, actor, detail, happened_at, made_at, due_at)
      SELECT 'n' || i, 'webhook', 'x', 'u', 'user', '{}', 1, 1, 1 FROM n`;
    await storage.commit([], effect(many));
    expect(await add('one more')).toBe(0);
    await storage.commit([], effect("DELETE FROM notices WHERE id = 'n1'"));
    expect(await add('one more')).toBe(1);
  });
});

describe('one attempt', () => {
  test('a failure that no one foresaw is told without its text, which may hold a secret', async () => {
    const { failureOf } = await import('../../src/notify/channel.ts');
    const error = Object.assign(new Error('token syt_secret'), { code: 'ECONNREFUSED' });
    expect(failureOf(error).reason).toBe('ECONNREFUSED');
    expect(failureOf(new TypeError('syt_secret')).reason).toBe('TypeError');
    expect(failureOf(new Refusal('homeserver_slow')).reason).toBe('homeserver_slow');
  });
});
