import type { AttemptGate } from '../factors/factor.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { StepToSpend, ThrottleCounter, ThrottleStore, Waits } from '../storage/stores.ts';
import { type Clock, HOUR, SECOND } from '../system/clock.ts';

/** Five failures in a row cost nothing, the fifth starts a wait of 30 s, which doubles up to an hour. */
export const WAITS: Waits = { freeFailures: 5, firstMs: 30 * SECOND, longestMs: HOUR };
/** With so many failures in a row the TOTP stage at login is shut. */
const SHUT_AT = 100;

/** What is tried: whose counter, and whether many failures shut it for good. */
export interface Attempt {
  readonly userId: string;
  readonly counter: ThrottleCounter;
  readonly shuts: boolean;
}

/**
 * The account-wide limit on wrong codes, durable and shared by all doors, sessions, addresses and replicas. An
 * attempt counts as a failure before it is looked at; only an accepted factor takes that back.
 */
export class Throttle {
  constructor(
    private readonly store: ThrottleStore,
    private readonly clock: Clock,
  ) {}

  /** The gate that a factor takes one attempt through; it knows whether that was done. */
  gate(attempt: Attempt): AttemptGate & { readonly taken: boolean } {
    let taken = false;
    const take = async (step?: StepToSpend) => {
      const spent = await this.admit(attempt, step);
      taken = true;
      return spent;
    };
    return {
      admit: async () => void (await take()),
      admitAndSpend: take,
      get taken() {
        return taken;
      },
    };
  }

  private async admit(attempt: Attempt, step?: StepToSpend): Promise<boolean> {
    const counted = {
      userId: attempt.userId,
      counter: attempt.counter,
      now: this.clock.now(),
      waits: WAITS,
      ...(attempt.shuts && { shutAt: SHUT_AT }),
    };
    const admission = await this.store.admit(counted, step);
    if (admission.admitted) return admission.spent;
    // A shut stage has no end of its own: clients that come again by themselves shall do so rarely.
    if (admission.shut) throw new Refusal('totp_shut', { retryAfterMs: WAITS.longestMs });
    throw new Refusal('limit_exceeded', { retryAfterMs: admission.waitMs });
  }

  /** An accepted factor, or an operator, clears all counters of the user (attack 80: nothing else does). */
  async clear(userId: string): Promise<void> {
    await this.store.clear(userId);
  }
}
