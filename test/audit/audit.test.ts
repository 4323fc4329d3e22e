import { expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import { RequestRecord } from '../../src/http/request_record.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { type Driver, effect } from '../../src/storage/statement.ts';
import { chainOf } from '../support/entries.ts';

/** Keeps what it is given, with the users that each unit names. */
function keeping() {
  const units: unknown[] = [];
  const commit = (async (accounts, unit) => void units.push([accounts, unit])) as Driver['commit'];
  return { units, storage: { commit } };
}

const clock = { now: () => 1_700_000_000_000 };
const chain = chainOf({});
const BOB = '@bob:example.org';

test('an entry carries the time of the clock, who did it by which request, and everything it was given', async () => {
  const { units, storage } = keeping();
  await new Audit({ storage, chain, clock }).record({
    userId: BOB,
    event: 'recovery.used',
    client: { ip: '192.0.2.7', record: new RequestRecord('request-1') },
    deviceId: 'PHONE',
    detail: { position: 3, remaining: 7 },
  });
  const record = {
    at: 1_700_000_000_000,
    userId: BOB,
    event: 'recovery.used',
    actor: 'user',
    address: '192.0.2.7',
    deviceId: 'PHONE',
    requestId: 'request-1',
    detail: { position: 3, remaining: 7 },
  };
  expect(units).toEqual([[[BOB], [{ does: 'enter', record, chain }]]]);
});

test.each([
  ['operator.unlock', 'operator:alice'],
  ['throttle.shut', 'system'],
  ['login.held_ended', 'system'],
  ['appservice.login', 'homeserver'],
  ['guard.passed', 'user'],
  ['totp.enabled', 'user'],
] as const)('%s is done by %s, without address, device and request unless a client asked', (event, actor) => {
  const audit = new Audit({ ...keeping(), chain, clock, operator: 'alice' });
  const [entry] = audit.recorded({ userId: BOB, event });
  expect(entry).toMatchObject({
    record: { event, actor, address: null, deviceId: null, requestId: null, detail: {} },
  });
});

test('what is about no user names none', async () => {
  const { units, storage } = keeping();
  await new Audit({ storage, chain, clock }).record({ event: 'serve.started' });
  expect(units).toMatchObject([[[], [{ record: { userId: '', actor: 'system' } }]]]);
});

test('what follows from an entry is written with it', () => {
  const told = effect('INSERT INTO told');
  const consequences = ({ event }: { event: string }) => (event === 'totp.enabled' ? [told] : []);
  const audit = new Audit({ ...keeping(), chain, clock, consequences });
  expect(audit.recorded({ userId: BOB, event: 'totp.enabled' })).toEqual([expect.anything(), told]);
  expect(audit.recorded({ userId: BOB, event: 'totp.used' })).toHaveLength(1);
});

test('entries that need no factor are counted until they are many', async () => {
  const audit = new Audit({ ...keeping(), chain, clock });
  const events = ['factor.refused', 'totp.used', 'throttle.wait', 'totp.renamed'] as const;
  for (const event of events) audit.recorded({ userId: BOB, event });
  expect([4, 3, 1].map((atLeast) => audit.hasHadUnproven(atLeast))).toEqual([false, true, false]);
});

test('an entry that cannot be written fails the one who records it', async () => {
  const commit = (() => Promise.reject(new StoreUnavailable(new Error('disk full')))) as Driver['commit'];
  const audit = new Audit({ storage: { commit }, chain, clock });
  await expect(audit.record({ userId: BOB, event: 'totp.used' })).rejects.toThrow(StoreUnavailable);
});
