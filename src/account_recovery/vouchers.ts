import type { Audit } from '../audit/audit.ts';
import type { Detail } from '../factors/factor.ts';
import type { Factors } from '../factors/factors.ts';
import { networkOf } from '../http/network.ts';
import type { AddressLimit } from '../limits/attempt_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Decision } from '../storage/statement.ts';
import type { RecoveringUser } from './seams.ts';

/** A right code, not used up yet. */
export interface VouchedFor {
  readonly spend: Decision<unknown>;
  readonly detail: Detail;
}

/** Recovery codes that are given along with a request: judged and counted as at a sign-in, and they sign no one in. */
export class Vouchers {
  constructor(
    private readonly deps: {
      readonly factors: Factors;
      readonly addressLimit: AddressLimit;
      readonly audit: Audit;
      readonly enabled: boolean;
    },
  ) {}

  /**
   * @param beginning uses the code up for a request, and says nothing where it was used up meanwhile
   * @throws Refusal wrong_voucher, limit_exceeded; invalid_param where none is taken
   */
  async use<T>(
    { userId, client }: RecoveringUser,
    typed: string,
    beginning: (code: VouchedFor) => Promise<T | undefined>,
  ): Promise<T> {
    const { factors, addressLimit, audit, enabled } = this.deps;
    const factor = factors.ofKind('recovery');
    if (!enabled || factor === undefined) {
      throw new Refusal('invalid_param', { text: 'No recovery code is taken along with a recovery here.' });
    }
    const attempt = { userId, session: '', network: networkOf(client.ip) };
    const judge = async () => {
      const verdict = await factor.verify(attempt, typed);
      // A code that the operator gave out signs in: its owner needs no recovery.
      return verdict.is === 'match' && verdict.event === undefined ? beginning(verdict) : undefined;
    };
    const begun = await addressLimit.attempt(client, judge, (each) => each !== undefined);
    if (begun !== undefined) return begun;
    await audit.record({ userId, client, event: 'factor.refused', detail: { place: 'recovery' } });
    throw new Refusal('wrong_voucher');
  }
}
