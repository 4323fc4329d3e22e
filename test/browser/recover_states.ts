import { join } from 'node:path';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { openContact } from '../../src/notify/contact_confirmation.ts';
import { openRecipient } from '../../src/notify/recovery_notices.ts';
import { findRecoveryContacts } from '../../src/storage/tables/recovery_contacts.ts';
import { listRecipients, type RecipientRole } from '../../src/storage/tables/recovery_notices.ts';
import { endRecovery, listRecoveriesOf } from '../../src/storage/tables/recovery_requests.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { BEGIN, credentials } from '../account_recovery/recovering.ts';
import type { TestApp } from '../support/app.ts';
import { PASSWORD, type PageVisit, type PageWalk } from './page_visit.ts';

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const CONTACTS = '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts';
export const RECOVER = '/_2fa/recover';
const CLAIM = 'the claim code';
/** Of a visit to which a browser can go back. */
const ADDRESS = 'the address of the recovery';

function vaultOf({ directory }: TestApp): SealingVault {
  return new SealingVault(loadKeyRing(join(directory, 'keys.json')), systemRandom);
}

export function idOf({ scene: { app } }: PageVisit, name: string): string {
  return `@${name}:${app.stub.serverName}`;
}

async function begin({ scene: { app } }: PageVisit, name: string): Promise<void> {
  const { status } = await app.post(BEGIN, credentials(name, PASSWORD));
  if (status !== 200) throw new Error(`the recovery of ${name} does not begin: ${status}`);
}

/** The newest request of an account. */
async function requestOf(visit: PageVisit, name: string): Promise<string> {
  const [request] = await visit.scene.app.storage.read(listRecoveriesOf(idOf(visit, name)));
  return request?.id ?? '';
}

/** Opens the link that a notice of it has. */
async function openLink(visit: PageVisit, name: string, role: RecipientRole = 'owner'): Promise<void> {
  const { app } = visit.scene;
  const told = await app.storage.read(listRecipients(await requestOf(visit, name)));
  const recipient = told.find((each) => each.role === role);
  if (recipient === undefined) throw new Error(`no ${role} is told`);
  await visit.open(`${RECOVER}/cancel?t=${openRecipient(vaultOf(app), recipient).token}`);
}

/**
 * A user enters a contact address, and its owner opens the link that the mail has.
 * @param also what else the user sets for a recovery
 */
export async function openContactLink(visit: PageVisit, name: string, also: JsonObject = {}): Promise<void> {
  const { app } = visit.scene;
  const { token } = app.stub.signIn(name);
  const auth = credentials(name, `${PASSWORD} ${visit.freshCode(name)}`);
  const json = { ...also, contact: { kind: 'mail', address: 'friend@example.net' }, auth };
  await app.call({ method: 'PUT', target: CONTACTS, token, json });
  const [row] = await app.storage.read(findRecoveryContacts(idOf(visit, name)));
  const contact = row && openContact(row, vaultOf(app));
  await visit.open(`${RECOVER}/contact?t=${contact?.token}`);
}

async function arrive(visit: PageVisit, name: string): Promise<void> {
  await visit.open(RECOVER);
  await visit.givePassword(name);
}

/** As long as one has to wait, and with no one who stops it. */
async function waitUntilOpen(visit: PageVisit): Promise<void> {
  await visit.live(3 * DAY);
  await visit.live(HOUR);
}

/** The homeserver judges the password and signs no device out. What it answers undoes it. */
function keepDevices({ scene: { app } }: PageVisit, name: string): () => void {
  const ids = app.stub.devicesOf(name).map(({ deviceId }) => deviceId);
  return app.stub.override(/delete_devices/, ({ bytes }, next) =>
    ids.some((id) => bytes.includes(id)) ? { status: 500, body: {} } : next(),
  );
}

export const RECOVER_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'recover',
      says: 'The recovery of an account begins',
      isMain: true,
      reach: (visit) => visit.open(RECOVER),
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
    {
      name: 'recover-not-here',
      says: 'The policy does not let it be recovered',
      reach: (visit) => arrive(visit, 'nils'),
    },
  ],
  [
    {
      name: 'recover-link',
      says: 'A cancel link that is cut off',
      reach: (visit) => visit.open(`${RECOVER}/cancel?t=cut`),
    },
    {
      name: 'recover-ask-stop',
      says: 'The page behind a cancel link',
      isMain: true,
      reach: async (visit) => {
        await begin(visit, 'kurt');
        await openLink(visit, 'kurt');
      },
    },
    {
      name: 'recover-stopped',
      says: 'Its owner has stopped it there',
      reach: (visit) => visit.pressToNext('recover.stop'),
    },
    {
      name: 'recover-stopped-here',
      says: 'It was stopped on the page that has begun it',
      reach: async (visit) => {
        await begin(visit, 'kurt');
        await arrive(visit, 'kurt');
        await visit.pressToNext('recover.stop');
      },
    },
    {
      name: 'recover-stopped-other',
      says: 'It was stopped by the link of another, who is to tell the owner',
      reach: async (visit) => {
        await begin(visit, 'kurt');
        await openLink(visit, 'kurt', 'operator');
        await visit.pressToNext('recover.stop');
      },
    },
    {
      name: 'recover-too-often',
      says: 'It was begun too often',
      reach: (visit) => arrive(visit, 'kurt'),
    },
    {
      name: 'recover-over-refused',
      says: 'The page behind a cancel link: it was refused, as a device was used',
      reach: async (visit) => {
        const { storage } = visit.scene.app;
        await begin(visit, 'noah');
        const by = { state: 'refused', by: 'session_use', who: null, reason: null } as const;
        await storage.commit([idOf(visit, 'noah')], endRecovery(await requestOf(visit, 'noah'), by));
        await openLink(visit, 'noah');
      },
    },
  ],
  [
    {
      name: 'recover-contact-unknown',
      says: 'A link that confirms no contact address',
      reach: (visit) => visit.open(`${RECOVER}/contact?t=cut`),
    },
    {
      name: 'recover-contact',
      says: 'The page behind the link that confirms a contact address',
      isMain: true,
      reach: (visit) => openContactLink(visit, 'mia'),
    },
    {
      name: 'recover-contact-confirmed',
      says: 'It was confirmed',
      reach: (visit) => visit.pressToNext('contactLink.confirm'),
    },
    {
      name: 'recover-vote',
      says: 'The page behind the link of a voter',
      isMain: true,
      reach: (visit) => visit.open(`${RECOVER}/vote?t=${'A'.repeat(27)}`),
    },
  ],
];

/** From the beginning to the end. Sessions of all other states are over behind the wait. */
export const WHOLE_RECOVERY: PageWalk = [
  {
    name: 'recover-offer',
    says: 'What will happen, and whom it tells',
    isMain: true,
    reach: (visit) => arrive(visit, 'mia'),
  },
  {
    name: 'recover-wrong-voucher',
    says: 'The same after a wrong recovery code',
    reach: (visit) => visit.give('recovery_code', '0000-0000-0000'),
  },
  {
    name: 'recover-claim',
    says: 'The claim code, shown once',
    isMain: true,
    reach: async (visit) => {
      await visit.give('recovery_code', '');
      visit.scene.noted.set(CLAIM, String(await visit.page.locator('.codes li').textContent()));
    },
  },
  {
    name: 'recover-claim-untick',
    says: 'The same where it is not said to be saved',
    reach: (visit) => visit.sendUnfilled('saved'),
  },
  {
    name: 'recover-claim-print',
    says: 'The same on paper',
    reach: (visit) => visit.page.emulateMedia({ media: 'print' }),
  },
  {
    name: 'recover-running',
    says: 'It waits',
    reach: async (visit) => {
      await visit.page.emulateMedia({ media: 'screen' });
      await visit.sendTicked();
    },
  },
  {
    name: 'recover-finish',
    says: 'It can be finished',
    isMain: true,
    reach: async (visit) => {
      await waitUntilOpen(visit);
      await arrive(visit, 'mia');
    },
  },
  {
    name: 'recover-claim-missing',
    says: 'The same without the claim code',
    reach: (visit) => visit.give('claim_code', ''),
  },
  {
    name: 'recover-wrong-claim',
    says: 'The same after a wrong one',
    reach: (visit) => visit.give('claim_code', 'claim-0000-0000-0000-0000'),
  },
  {
    name: 'recover-set-up',
    says: 'The key of the new authenticator',
    isMain: true,
    reach: (visit) => visit.give('claim_code', visit.scene.noted.get(CLAIM) ?? ''),
  },
  {
    name: 'recover-set-up-wrong',
    says: 'The same after a wrong code',
    reach: (visit) => visit.giveCode('000000'),
  },
  {
    name: 'recover-set-up-again',
    says: 'Its set-up begins once more',
    reach: async (visit) => {
      for (let time = 0; time < 4; time++) await visit.giveCode('000000');
    },
  },
  {
    name: 'recover-codes',
    says: 'New recovery codes; the other devices could not be signed out',
    isMain: true,
    reach: async (visit) => {
      await visit.pressToNext('setup.now');
      const restore = keepDevices(visit, 'mia');
      await visit.giveCode(await visit.codeOfShownKey());
      visit.scene.noted.set(ADDRESS, visit.page.url());
      restore();
    },
  },
  {
    name: 'recover-codes-untick',
    says: 'The same where they are not said to be saved',
    reach: (visit) => visit.sendUnfilled('saved'),
  },
  {
    name: 'recover-not-alone',
    says: 'Done, but other devices are still signed in',
    reach: async (visit) => {
      const restore = keepDevices(visit, 'mia');
      await visit.sendTicked();
      restore();
    },
  },
  {
    name: 'recover-done',
    says: 'Back, after all is done',
    reach: async (visit) => {
      await visit.pressToNext('shell.tryAgain');
      await visit.page.goto(visit.scene.noted.get(ADDRESS) ?? '');
    },
  },
  {
    name: 'recover-over-finished',
    says: 'The page behind a cancel link: the account was recovered',
    reach: (visit) => openLink(visit, 'mia'),
  },
  {
    name: 'recover-over-expired',
    says: 'The same of one that no one finished in time',
    reach: async (visit) => {
      await begin(visit, 'noah');
      await waitUntilOpen(visit);
      await visit.live(7 * DAY);
      await visit.live(HOUR);
      await openLink(visit, 'noah');
    },
  },
];
