import { type OwedSetUp, Refusal } from '../matrix/refusals.ts';
import type { OwesEnrolment } from './standing.ts';

/** Where a user without a second factor sets one up. */
const ACCOUNT_PAGE = '/_2fa/account';

/** What clients are told for users who have to set up a second factor first: the same at every door. */
export class OwedEnrolment {
  private readonly setupUrl: string;

  /** @param publicBaseUrl what clients use: an origin without a slash at the end */
  constructor(publicBaseUrl: string) {
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
}
