import type { Factors } from '../factors/factors.ts';
import type { Answer } from '../http/answer.ts';
import { type OwedSetUp, Refusal } from '../matrix/refusals.ts';
import { ENROLMENT_STAGE, type Flow } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import { challengeOf } from '../uia/challenge.ts';
import type { Session } from '../uia/session.ts';
import type { OwesEnrolment } from './standing.ts';

/** Where a user without a second factor sets one up. */
const ACCOUNT_PAGE = '/_2fa/account';

/** What clients are told for users who have to set up a second factor first: the same at every door. */
export class OwedEnrolment {
  private readonly setupUrl: string;

  /** @param publicBaseUrl what clients use: an origin without a slash at the end */
  constructor(
    publicBaseUrl: string,
    private readonly deps: {
      readonly factors: Pick<Factors, 'settableKinds'>;
      readonly policies: Pick<Policies, 'of'>;
    },
  ) {
    this.setupUrl = `${publicBaseUrl}${ACCOUNT_PAGE}`;
  }

  /** For people: what to do. */
  get text(): string {
    return `This server requires two-factor authentication. Set it up at ${this.setupUrl}, then sign in again.`;
  }

  /** For clients: where, and until when it had to be done. */
  setUp({ deadlineTs }: Pick<OwesEnrolment, 'deadlineTs'>): OwedSetUp {
    return { setup_url: this.setupUrl, deadline_ts: deadlineTs };
  }

  /** The 403 of doors that have no set-up inside them. */
  owed(standing: Pick<OwesEnrolment, 'deadlineTs'>): Refusal {
    return new Refusal('owes_enrolment', { text: this.text, owesEnrolment: this.setUp(standing) });
  }

  /** The kinds of factors that this user may set up. */
  async factorsFor(userId: string): Promise<string[]> {
    const { value: allowed } = (await this.deps.policies.of(userId)).factors;
    return this.deps.factors.settableKinds().filter((kind) => allowed?.includes(kind) ?? true);
  }

  /**
   * The 401 of a sign-in that goes on with a set-up (spec/stages.md). A client that does not know
   * the stage shows its text.
   */
  async challenge(session: Session, standing: Pick<OwesEnrolment, 'deadlineTs'>): Promise<Answer> {
    const refusal = this.owed(standing);
    const factors = await this.factorsFor(session.binding.userId);
    const asked = { factors, ...this.setUp(standing) };
    return {
      status: 401,
      body: { ...challengeOf({ ...session, params: { [ENROLMENT_STAGE]: asked } }), ...refusal.body() },
      outcome: { is: 'challenged', reason: 'enrolment' },
    };
  }
}

/** How a sign-in goes on whose user has to set up a factor. */
export function enrolmentFlows(proven: readonly string[]): readonly Flow[] {
  return [[...proven, ENROLMENT_STAGE]];
}
