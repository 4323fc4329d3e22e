import { expect, test } from '@jest/globals';
import { hashesAtOnce } from '../../../src/factors/recovery/recovery_hasher.ts';

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [8, 2],
])('attack 90: of %i cores at most %i hash recovery codes', (cores, hashes) => {
  expect(hashesAtOnce(cores)).toBe(hashes);
});
