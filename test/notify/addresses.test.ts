import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import { Addresses } from '../../src/notify/addresses.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { addNoticeAddress, dropGoneAddresses } from '../../src/storage/tables/notice_owners.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { describeOnBothStores, replicasOf } from '../storage/on_both.ts';
import { testVault } from '../support/test_vault.ts';

const BOB = '@bob:example.org';
const ASKING = {
  userId: BOB,
  token: 't',
  client: { ip: '192.0.2.1', proto: 'https', host: undefined },
} as const;
const MAIL = 'bob@example.org';

describeOnBothStores('the mail addresses of owners', (opened) => {
  const vault = testVault();
  let asked: number;
  let answer: () => void;
  let answered: Promise<void>;

  beforeEach(() => {
    asked = 0;
    answered = new Promise((resolve) => {
      answer = resolve;
    });
  });

  /** Before a homeserver that answers once it was asked `times`. */
  const addressesOn = (storage: Storage, times: number) =>
    new Addresses({
      ...{ storage, vault, log: silentLog, isWanted: () => true },
      homeserver: {
        call: async () => {
          asked += 1;
          if (asked === times) answer();
          await answered;
          const json = { threepids: [{ medium: 'email', address: MAIL }] };
          return { status: 200, json, headers: {}, bytes: Buffer.alloc(0) };
        },
      },
    });

  test('attack 366: an address that requests of one moment find, at two processes, is told once', async () => {
    const [one, other] = await replicasOf(opened);
    const here = addressesOn(one, 3);
    const there = addressesOn(other, 3);
    await Promise.all([here, here, there].map((each) => each.beforeChange(ASKING)));
    expect(asked).toBe(3);
    expect(await here.of(BOB)).toEqual([MAIL]);
  });

  test('a process that is killed while it asks costs the owner no day: another one asks after some minutes', async () => {
    const [one, other] = await replicasOf(opened);
    addressesOn(one, 2).notice(ASKING);
    while (asked === 0) await setImmediate();
    const there = addressesOn(other, 2);
    const ask = async () => {
      there.notice(ASKING);
      await there.settled();
    };
    await ask();
    opened.clock.advance(2 * MINUTE);
    await ask();
    expect(await there.of(BOB)).toEqual([]);
    opened.clock.advance(2 * MINUTE);
    await ask();
    expect(await there.of(BOB)).toEqual([MAIL]);
    opened.clock.advance(23 * HOUR);
    await ask();
    expect(asked).toBe(2);
    opened.clock.advance(HOUR);
    await ask();
    expect(asked).toBe(3);
  });

  test('one that stands there twice, as earlier versions wrote it, is told once after its seven days', async () => {
    const { storage } = opened;
    for (const id of ['a1', 'a2']) {
      const sealedAddress = vault.seal(MAIL, `notice-address:${id}:${BOB}`);
      await storage.commit([BOB], addNoticeAddress({ id, userId: BOB, sealedAddress }));
    }
    const addresses = addressesOn(storage, 1);
    await addresses.beforeChange(ASKING);
    await storage.commit([], dropGoneAddresses(0));
    expect(await addresses.of(BOB)).toEqual([MAIL]);
    expect(await addresses.open('a1')).toBe(MAIL);
  });
});
