import type { RecoveryStanding } from '../../src/account_recovery/standing.ts';
import {
  claimCard,
  finishCard,
  notAloneCard,
  offerCard,
  runningCard,
} from '../../src/pages/recover/recover_cards.ts';
import { type Html, html } from '../../src/pages/shell/html.ts';
import type { Say } from '../../src/pages/texts/texts.ts';
import type { PageState } from './page_visit.ts';

const DAY = 86_400_000;
const BEGUN = Date.UTC(2026, 10, 28, 18, 30);
const USER = '@alice:example.org';
const STANDING: RecoveryStanding = {
  ...{ id: 'r', userId: USER, state: 'open', begunTs: BEGUN, opensTs: BEGUN + 3 * DAY },
  closesTs: BEGUN + 10 * DAY,
  endedTs: undefined,
};

/** The pages of account recovery: all but the first as their cards draw them, since a request waits for days. */
export const RECOVER_STATES: readonly PageState[] = [
  {
    name: 'recover',
    says: 'The recovery of an account begins',
    isMain: true,
    reach: (visit) => visit.open('/_2fa/recover'),
  },
  {
    name: 'recover-wrong-password',
    says: 'The same after a wrong password',
    reach: async (visit) => {
      await visit.open('/_2fa/recover');
      await visit.givePassword('carol', 'wrong');
    },
  },
  {
    name: 'recover-no-factor',
    says: 'The account has no second factor to be without',
    reach: async (visit) => {
      await visit.open('/_2fa/recover');
      await visit.givePassword('alice');
    },
  },
  {
    name: 'recover-link',
    says: 'A cancel link that is cut off',
    reach: (visit) => visit.open('/_2fa/recover/cancel?t=cut'),
  },
  {
    ...drawn('recover-offer', 'What will happen, and whom it tells', (card) =>
      offerCard({
        ...card,
        userId: USER,
        offer: {
          ...{ is: 'offered', waitMs: 3 * DAY, vouchedWaitMs: DAY, hasDaysOff: true, endsOnUse: false },
          recipients: [
            { role: 'owner', channel: 'matrix', address: USER },
            { role: 'owner', channel: 'mail', address: 'alice@example.org' },
            { role: 'operator', channel: 'mail', address: 'ops@example.org' },
            { role: 'voter', channel: 'matrix', address: '@bob:example.org' },
            { role: 'room_admin', channel: 'matrix', address: '@carol:example.org' },
          ],
          devices: 3,
        },
        voucherProblem: undefined,
        problem: undefined,
      }),
    ),
    isMain: true,
  },
  drawn('recover-claim', 'The claim code, shown once', (card) =>
    claimCard({
      ...card,
      claim: { code: 'claim-7q2k-x9vd-03mh-5tbe', userId: USER, opensTs: STANDING.opensTs },
      server: 'matrix.example.org',
      problem: undefined,
    }),
  ),
  drawn('recover-not-alone', 'Done, but other devices are still signed in', notAloneCard),
  drawn('recover-running', 'It waits', (card) => runningCard({ ...card, standing: STANDING })),
  drawn('recover-finish', 'It can be finished', (card) =>
    finishCard({ ...card, standing: STANDING, claimProblem: undefined, problem: undefined }),
  ),
  drawn('recover-wrong-claim', 'The claim code was wrong', (card) =>
    finishCard({
      ...{ ...card, standing: STANDING, problem: undefined },
      claimProblem: card.say('recover.claimWrong'),
    }),
  ),
];

/** A card without the fields that no one sees. */
interface BareCard {
  readonly say: Say;
  readonly action: string;
  readonly hidden: Html;
}

function drawn(name: string, says: string, draw: (card: BareCard) => Html): PageState {
  return { name, says, reach: (visit) => visit.draw((say) => draw({ say, action: '', hidden: html`` })) };
}
