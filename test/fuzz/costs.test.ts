import { expect, test } from '@jest/globals';
import { expectNothingFound } from './campaign.ts';
import { costs } from './costs.ts';

test('attack 119: fuzzed headers, targets, bodies and forms take linear time, and little', async () => {
  const { counts } = await expectNothingFound(costs, 5_000);
  expect(counts.read).toBeGreaterThan(100);
}, 90_000);
