import type { Factors } from '../factors/factors.ts';
import type { GivenCode } from '../factors/given_code.ts';
import { networkOf } from '../http/network.ts';
import type { SecondFactorStage } from '../matrix/wire.ts';
import type { CodeWay, Lanes } from './lanes.ts';
import type { Throttle } from './throttle.ts';

/** A code that somebody sent for one of our stages. */
export interface PresentedCode extends CodeWay {
  /** Whose code it must be: the owner of the session, never a name in the request (attack 29). */
  readonly userId: string;
  readonly stage: SecondFactorStage;
  readonly token: GivenCode;
}

export type SecondFactorVerdict =
  | { readonly verdict: 'accepted'; readonly detail: Readonly<Record<string, string | number>> }
  /** Wrong, spent or malformed: one and the same to the client (attack 87). */
  | {
      readonly verdict: 'refused';
      /** Nothing that comes by this way is looked at any more. */
      readonly hasShut: boolean;
    };

/** A verdict, with the kind of lane that the code came by. */
export type LanedVerdict = SecondFactorVerdict & { readonly lane: string };

/** The only way to have a code judged: throttled, and accepted at most once. */
export class SecondFactorCheck {
  constructor(
    private readonly factors: Factors,
    private readonly throttle: Throttle,
    private readonly lanes: Lanes,
  ) {}

  /**
   * Judges a code. One that can be guessed counts as a failure in the unit that spends it, before that.
   * @throws Refusal `totp_waits` or `totp_shut`: nothing is told of the code; `limit_exceeded` if hashes wait.
   */
  async check(presented: PresentedCode): Promise<LanedVerdict> {
    const { userId, stage, token, client } = presented;
    const factor = this.factors.ofStage(stage);
    if (factor === undefined) throw new RangeError(`no factor is listed for the stage ${stage}`);
    const way = await this.lanes.of(presented);
    const verdict = await factor.verify({ userId, token, network: networkOf(client.ip) });
    const spend = verdict.is === 'match' ? verdict.spend : undefined;
    const taken = await this.throttle.take({ userId, ...way, counts: factor.isGuessable }, spend);
    const lane = laneKind(way.lane);
    return verdict.is === 'match' && taken.accepted
      ? { verdict: 'accepted', detail: verdict.detail, lane }
      : { verdict: 'refused', hasShut: taken.hasShut, lane };
  }
}

/** What the owner and the audit are told of a lane. */
function laneKind(lane: string): string {
  return lane.split(':', 1)[0] ?? lane;
}
