import { join } from 'node:path';
import type { RecoveryStanding } from '../../src/account_recovery/standing.ts';
import type { OfferedRecovery } from '../../src/login/page_recovery.ts';
import { openRecipient } from '../../src/notify/recovery_notices.ts';
import {
  claimCard,
  finishCard,
  notAloneCard,
  offerCard,
  runningCard,
  saidCard,
  setUpAgainCard,
} from '../../src/pages/recover/recover_cards.ts';
import { type Html, html } from '../../src/pages/shell/html.ts';
import type { Say } from '../../src/pages/texts/texts.ts';
import { listRecipients } from '../../src/storage/tables/recovery_notices.ts';
import { findRunningRecovery } from '../../src/storage/tables/recovery_requests.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { BEGIN, credentials } from '../account_recovery/recovering.ts';
import type { TestApp } from '../support/app.ts';
import { PASSWORD, type PageState, type PageWalk } from './page_visit.ts';

const DAY = 86_400_000;
const BEGUN = Date.UTC(2026, 10, 28, 18, 30);
const USER = '@alice:example.org';
const STANDING: RecoveryStanding = {
  ...{ id: 'r', userId: USER, state: 'open', begunTs: BEGUN, opensTs: BEGUN + 3 * DAY },
  closesTs: BEGUN + 10 * DAY,
  endedTs: undefined,
};
const OFFER: OfferedRecovery = {
  ...{ is: 'offered', waitMs: 3 * DAY, vouchedWaitMs: DAY, hasDaysOff: true, endsOnUse: false },
  recipients: [
    { role: 'owner', channel: 'matrix', address: USER },
    { role: 'owner', channel: 'mail', address: 'alice@example.org' },
    { role: 'operator', channel: 'mail', address: 'ops@example.org' },
    { role: 'voter', channel: 'matrix', address: '@bob:example.org' },
    { role: 'room_admin', channel: 'matrix', address: '@carol:example.org' },
  ],
  devices: 3,
};
const CLAIM = { code: 'claim-7q2k-x9vd-03mh-5tbe', userId: USER, opensTs: STANDING.opensTs };

/** The link that a notice of the recovery of an account has. */
async function cancelLink({ storage, directory, stub }: TestApp, name: string): Promise<string> {
  const [request] = await storage.read(findRunningRecovery(`@${name}:${stub.serverName}`));
  const [recipient] = await storage.read(listRecipients(request?.id ?? ''));
  if (recipient === undefined) throw new Error('no one is told');
  const vault = new SealingVault(loadKeyRing(join(directory, 'keys.json')), systemRandom);
  return `/_2fa/recover/cancel?t=${openRecipient(vault, recipient).token}`;
}

const DRAWN: PageWalk = [
  {
    ...drawn('recover-offer', 'What will happen, and whom it tells', (card) =>
      offerCard({ ...card, userId: USER, offer: OFFER, voucherProblem: undefined, problem: undefined }),
    ),
    isMain: true,
  },
  drawn('recover-wrong-voucher', 'The same after a wrong recovery code', (card) =>
    offerCard({
      ...{ ...card, userId: USER, offer: { ...OFFER, recipients: [], endsOnUse: true } },
      ...{ voucherProblem: card.say('code.wrongRecovery'), problem: undefined },
    }),
  ),
  drawn('recover-claim', 'The claim code, shown once', (card) =>
    claimCard({ ...card, claim: CLAIM, server: 'matrix.example.org', problem: undefined }),
  ),
  drawn('recover-claim-untick', 'The same where it is not said to be saved', (card) =>
    claimCard({
      ...{ ...card, claim: CLAIM, server: 'matrix.example.org' },
      problem: card.say('recover.claimTickFirst'),
    }),
  ),
  drawn('recover-not-alone', 'Done, but other devices are still signed in', notAloneCard),
  drawn('recover-finish', 'It can be finished', (card) =>
    finishCard({ ...card, standing: STANDING, claimProblem: undefined, problem: undefined }),
  ),
  drawn('recover-wrong-claim', 'The claim code was wrong', (card) =>
    finishCard({
      ...{ ...card, standing: STANDING, problem: undefined },
      claimProblem: card.say('recover.claimWrong'),
    }),
  ),
  drawn('recover-running', 'It waits', (card) => runningCard({ ...card, standing: STANDING })),
  drawn('recover-set-up-again', 'Its set-up begins once more', (card) =>
    setUpAgainCard({ ...card, problem: card.say('setup.expired') }),
  ),
  drawn('recover-done', 'The account is recovered', ({ say }) =>
    saidCard(say('recover.done'), say('setup.doneOn'), { href: '', text: say('shell.account') }),
  ),
  drawn('recover-too-often', 'It was begun too often', ({ say }) =>
    saidCard(say('recover.tooOften'), say('recover.tooOftenText')),
  ),
];

/** The pages of account recovery: those of a request that waits for days as their cards draw them. */
export const RECOVER_WALKS: readonly PageWalk[] = [
  DRAWN,
  [
    {
      name: 'recover',
      says: 'The recovery of an account begins',
      isMain: true,
      reach: (visit) => visit.open('/_2fa/recover'),
    },
    {
      name: 'recover-wrong-password',
      says: 'The same after a wrong password',
      reach: (visit) => visit.givePassword('carol', 'wrong'),
    },
    {
      name: 'recover-no-factor',
      says: 'The account has no second factor to be without',
      reach: (visit) => visit.givePassword('alice'),
    },
  ],
  [
    {
      name: 'recover-link',
      says: 'A cancel link that is cut off',
      reach: (visit) => visit.open('/_2fa/recover/cancel?t=cut'),
    },
    {
      name: 'recover-ask-stop',
      says: 'The page behind a cancel link',
      isMain: true,
      reach: async (visit) => {
        const { app } = visit.scene;
        await app.post(BEGIN, credentials('kurt', PASSWORD));
        await visit.open(await cancelLink(app, 'kurt'));
      },
    },
    {
      name: 'recover-stopped',
      says: 'It was stopped there',
      reach: (visit) => visit.pressToNext('recover.stop'),
    },
    {
      name: 'recover-contact-unknown',
      says: 'A link that confirms no contact address',
      reach: (visit) => visit.open('/_2fa/recover/contact?t=cut'),
    },
    {
      name: 'recover-contact-confirmed',
      says: 'A contact address was confirmed',
      reach: (visit) => visit.open('/_2fa/recover/contact?done'),
    },
    {
      name: 'recover-vote',
      says: 'The page behind the link of a voter',
      isMain: true,
      reach: (visit) => visit.open(`/_2fa/recover/vote?t=${'A'.repeat(27)}`),
    },
  ],
];

/** A card without the fields that no one sees. */
interface BareCard {
  readonly say: Say;
  readonly action: string;
  readonly hidden: Html;
}

function drawn(name: string, says: string, draw: (card: BareCard) => Html): PageState {
  const reach: PageState['reach'] = (visit) => visit.draw((say) => draw({ say, action: '', hidden: html`` }));
  return { name, says, reach, isOnce: true };
}
