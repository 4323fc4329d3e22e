import { expect, test } from '@jest/globals';
import { expectNothingFound } from './campaign.ts';
import { wireFormats } from './wire.ts';

test('attack 24: fuzzed headers and framings bring no request that was not sent, no claim and no malformed token upstream', async () => {
  const { counts } = await expectNothingFound(wireFormats, 3);
  expect(counts.arrived).toBeGreaterThan(0);
});
