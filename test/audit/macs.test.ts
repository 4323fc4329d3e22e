import { expect, test } from '@jest/globals';
import { entryMac } from '../../src/audit/macs.ts';

const KEY = { keyId: 'k1', secret: Buffer.alloc(32, 7) };

/** With each mac that changes, the chains of all databases that are in use would be broken. */
test('the mac of an entry is what it always was, in whatever order its facts come', () => {
  const entry = {
    ...{ at: 1_700_000_000_000, userId: '@zoë:example.org', event: 'totp.enabled', actor: 'user' },
    ...{ address: '192.0.2.7', deviceId: null, requestId: 'r-1' },
  };
  const facts = { name: 'Phone "1"', authenticators: 2, also: true, Ä: 'x', z: -0.5 };
  const turned = Object.fromEntries(Object.entries(facts).toReversed());
  const at = { chain: 3, n: 12 };
  expect(entryMac(KEY, { ...entry, detail: facts }, at, 'k1.before')).toBe(
    'k1.7ff5b93fb30d68fdebc823076bd748b8229077164d37305ed770345bf2b6e397',
  );
  expect(entryMac(KEY, { ...entry, detail: turned }, at, 'k1.before')).toBe(
    'k1.7ff5b93fb30d68fdebc823076bd748b8229077164d37305ed770345bf2b6e397',
  );
  expect(entryMac(KEY, { ...entry, address: null, detail: {} }, at, '')).toBe(
    'k1.6d1320d0e08d2219014dfb662a3dad4e7642d3870265ff6241445012a27a1921',
  );
});
