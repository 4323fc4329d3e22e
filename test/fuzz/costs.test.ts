import { expect, test } from '@jest/globals';
import { expectNothingFound } from './campaign.ts';
import { costs } from './costs.ts';

/** On a machine that does other things as well; what is not linear takes hundreds. `npm run fuzz` holds to 5 ms. */
const BUDGET_MS = 25;

test('attack 119: fuzzed headers, targets, bodies and forms take linear time, and little', async () => {
  const { counts } = await expectNothingFound(costs(BUDGET_MS), 5);
  expect(counts.read).toBeGreaterThan(100);
});
