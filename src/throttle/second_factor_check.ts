import type { Factor } from '../factors/factor.ts';
import type { Factors } from '../factors/factors.ts';
import type { GivenCode } from '../factors/given_code.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import { type SecondFactorStage, TOTP_STAGE } from '../matrix/wire.ts';
import type { Attempt, Throttle } from './throttle.ts';

/** A code that somebody sent for one of our stages. */
export interface PresentedCode {
  /** Whose code it must be: the owner of the session, never a name in the request (attack 29). */
  readonly userId: string;
  readonly stage: SecondFactorStage;
  readonly token: GivenCode;
  /** `login`: the password was proven. `session`: there is a valid access token. */
  readonly place: 'login' | 'session';
  /** From where it came. */
  readonly client: ClientAddress;
}

export type SecondFactorVerdict =
  | { readonly verdict: 'accepted'; readonly detail: Readonly<Record<string, string | number>> }
  /** Wrong, spent or malformed: one and the same to the client (attack 87). */
  | { readonly verdict: 'refused' };

/** The only way to have a code judged: throttled, and accepted at most once. */
export class SecondFactorCheck {
  constructor(
    private readonly factors: Factors,
    private readonly throttle: Throttle,
  ) {}

  /**
   * Judges a code. It counts as a failure before it is looked at, in a write of its own (attack 78).
   * @throws Refusal `limit_exceeded` or `totp_shut`: the code was not looked at.
   */
  async check(presented: PresentedCode): Promise<SecondFactorVerdict> {
    const { userId, stage, token, client } = presented;
    const factor = this.factors.ofStage(stage);
    const gate = this.throttle.gate(attemptOf(presented, factor));
    const judged = await factor.verify({ userId, token, network: networkOf(client.ip) }, gate);
    if (!gate.taken) throw new Error(`the factor ${stage} judged a code that its gate has not counted`);
    if (!judged.accepted) return { verdict: 'refused' };
    return { verdict: 'accepted', detail: judged.detail };
  }
}

/** Somebody with only the password cannot use up the owner's tries in a live session (attack 56). */
function attemptOf({ userId, stage, place }: PresentedCode, factor: Factor): Attempt {
  if (place === 'session') return { userId, counter: 'session', shuts: false };
  return { userId, counter: factor.loginCounter, shuts: stage === TOTP_STAGE };
}
