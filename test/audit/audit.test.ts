import { expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import type { AuditRecord, AuditStore } from '../../src/storage/tables/audit.ts';

function keepingStore(): { store: AuditStore; records: AuditRecord[] } {
  const records: AuditRecord[] = [];
  const store: AuditStore = {
    append: async (record) => {
      records.push(record);
    },
    list: async () => records,
  };
  return { store, records };
}

test('a line carries the time of the clock and everything it was given', async () => {
  const { store, records } = keepingStore();
  const audit = new Audit(store, { now: () => 1_700_000_000_000 });

  await audit.record({
    userId: '@bob:example.org',
    event: 'recovery.used',
    address: '192.0.2.7',
    deviceId: 'PHONE',
    detail: { position: 3, remaining: 7 },
  });

  expect(records).toEqual([
    {
      at: 1_700_000_000_000,
      userId: '@bob:example.org',
      event: 'recovery.used',
      address: '192.0.2.7',
      deviceId: 'PHONE',
      detail: { position: 3, remaining: 7 },
    },
  ]);
});

test('what the operator does has neither address nor device', async () => {
  const { store, records } = keepingStore();
  const audit = new Audit(store, { now: () => 5 });

  await audit.record({ userId: '@bob:example.org', event: 'operator.unlock' });

  expect(records).toEqual([
    {
      at: 5,
      userId: '@bob:example.org',
      event: 'operator.unlock',
      address: null,
      deviceId: null,
      detail: {},
    },
  ]);
});

test('a line that cannot be written fails the one who records it', async () => {
  const store: AuditStore = {
    append: async () => {
      throw new StoreUnavailable(new Error('disk full'));
    },
    list: async () => [],
  };
  const audit = new Audit(store, { now: () => 0 });

  await expect(audit.record({ userId: '@bob:example.org', event: 'totp.used' })).rejects.toThrow(
    StoreUnavailable,
  );
});
