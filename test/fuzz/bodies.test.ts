import { expect, test } from '@jest/globals';
import { mutatedBodies } from './bodies.ts';
import { expectNothingFound } from './campaign.ts';

test('fuzzed bodies: a Matrix error or a right result, and no one is harmed', async () => {
  const { counts } = await expectNothingFound(mutatedBodies, 5);
  expect(counts.granted).toBeGreaterThan(0);
});
