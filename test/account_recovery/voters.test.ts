import { expect, test } from '@jest/globals';
import {
  countingVoters,
  requireFactors,
  requireOthers,
  votersNamed,
} from '../../src/account_recovery/voters.ts';
import { Refusal } from '../../src/matrix/refusals.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const DAVE = '@dave:example.org';

/** Those who have 2FA on. */
function having(...users: string[]) {
  const enrolled = { version: 1, kinds: ['totp'], codesLeft: 0, hasEmergencyCode: false };
  const owing = { is: 'owes_factor', version: 1, enrolled } as const;
  return {
    ofFactor: (userId: string) => Promise.resolve(users.includes(userId) ? owing : undefined),
  };
}

test('other users of this server with 2FA on can be named', async () => {
  expect(() => requireOthers([CAROL, DAVE], BOB)).not.toThrow();
  await expect(requireFactors([CAROL, DAVE], having(CAROL, DAVE))).resolves.toBeUndefined();
  await expect(requireFactors([CAROL, DAVE], having(CAROL))).rejects.toThrow(Refusal);
});

test.each([
  ['the user', BOB],
  ['a user of another server', '@carol:evil.example'],
  ['what is no user', 'carol'],
])('%s cannot be named', (_, voter) => {
  expect(() => requireOthers([CAROL, voter], BOB)).toThrow(Refusal);
});

test('who stays is named since before, who comes again is named anew, and nobody twice', () => {
  const before = votersNamed([CAROL, DAVE], [], 1000);
  expect(votersNamed([CAROL, CAROL], before, 2000)).toEqual([{ userId: CAROL, namedTs: 1000 }]);
  const without = votersNamed([CAROL], before, 2000);
  expect(votersNamed([DAVE, CAROL], without, 3000)).toEqual([
    { userId: DAVE, namedTs: 3000 },
    { userId: CAROL, namedTs: 1000 },
  ]);
});

test('votes count of those who were named long enough ago and have 2FA on now', async () => {
  const voters = [
    { userId: BOB, namedTs: 0 },
    { userId: CAROL, namedTs: 1000 },
    { userId: DAVE, namedTs: 1001 },
  ];
  const counting = (now: number, ...users: string[]) =>
    countingVoters({ userId: BOB, voters }, { now, nominationAgeMs: 500 }, having(...users));
  expect(await counting(1499, BOB, CAROL, DAVE)).toEqual([]);
  expect(await counting(1500, BOB, CAROL, DAVE)).toEqual([CAROL]);
  expect(await counting(1501, BOB, CAROL, DAVE)).toEqual([CAROL, DAVE]);
  expect(await counting(1501, BOB, DAVE)).toEqual([DAVE]);
});
