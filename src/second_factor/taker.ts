import type { Answer } from '../http/answer.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { Grant, ReleasingProof } from './grant.ts';
import type { FactorTokenClaimed } from './passes.ts';

/** The client that takes a held login. */
export interface Taker {
  readonly client: ClientAddress;
  /** The device that it asked for. */
  readonly deviceId: string | undefined;
  /** The password field as it was sent, where there was one. */
  readonly passwordAsSent: string | undefined;
}

/** A second login that takes the place of a held one. */
export interface Exchange {
  readonly held: HeldLogin;
  /** Who has claimed the held login. */
  readonly claimant: string;
  readonly second: Grant;
  readonly proof: ReleasingProof;
  readonly taker: Taker;
}

/** The answer with what it means to the operator. */
export function letOut(
  answer: Answer,
  proof: ReleasingProof | FactorTokenClaimed,
  userId: string,
  { client, deviceId }: Taker,
): Answer {
  client.record?.isOf(userId, deviceId ?? null);
  return proof.hasFactor ? { ...answer, outcome: { is: 'released', factor: proof.factor } } : answer;
}

/** The held login itself was given out: with it, it has ended. */
export function noteTaken({ client }: Taker): void {
  if (client.record !== undefined) client.record.hasTakenHold = true;
}
