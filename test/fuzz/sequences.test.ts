import { expect, test } from '@jest/globals';
import { expectNothingFound } from './campaign.ts';
import { uiaSequences } from './sequences.ts';

test('fuzzed session sequences: nothing succeeds without every proof of its own session', async () => {
  const { counts } = await expectNothingFound(uiaSequences, 5);
  expect(counts.acted).toBeGreaterThan(0);
});
