import { Refusal } from '../matrix/refusals.ts';
import { parseUserId } from '../matrix/user_id.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { NamedVoter } from './contact_list.ts';

/** @throws Refusal invalid_param unless each is another user of this server */
export function requireOthers(voters: readonly string[], userId: string): void {
  const server = parseUserId(userId)?.server;
  for (const voter of voters) {
    if (voter === userId) throw refused(voter, 'users do not vote on their own account');
    if (parseUserId(voter)?.server !== server) throw refused(voter, 'it is not a user of this server');
  }
}

/**
 * Asked behind a proof only: an access token alone does not tell who has 2FA on. Of a user who does not exist the same is
 * said as of one without it.
 *
 * @throws Refusal invalid_param
 */
export async function requireFactors(
  voters: readonly string[],
  standings: Pick<Standings, 'ofFactor'>,
): Promise<void> {
  for (const voter of voters) {
    const owing = await standings.ofFactor(voter);
    if (owing === undefined) throw refused(voter, 'this user does not have two-factor authentication on');
  }
}

/** Those who stay are named since they were named first: only a new name has to wait until it counts. */
export function votersNamed(
  voters: readonly string[],
  before: readonly NamedVoter[],
  now: number,
): readonly NamedVoter[] {
  return [...new Set(voters)].map(
    (userId) => before.find((known) => known.userId === userId) ?? { userId, namedTs: now },
  );
}

/**
 * Whose votes count for a request that begins now: named long enough ago, with 2FA on. What becomes of the list later
 * changes nothing for the request.
 */
export async function countingVoters(
  { userId, voters }: { readonly userId: string; readonly voters: readonly NamedVoter[] },
  { now, nominationAgeMs }: { readonly now: number; readonly nominationAgeMs: number },
  standings: Pick<Standings, 'ofFactor'>,
): Promise<readonly string[]> {
  const counting: string[] = [];
  for (const { userId: voter, namedTs } of voters) {
    const isOldEnough = namedTs + nominationAgeMs <= now;
    if (voter !== userId && isOldEnough && (await standings.ofFactor(voter)) !== undefined)
      counting.push(voter);
  }
  return counting;
}

function refused(voter: string, why: string): Refusal {
  return new Refusal('invalid_param', { text: `${voter} cannot vote: ${why}.` });
}
