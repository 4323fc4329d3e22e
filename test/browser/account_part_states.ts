import type { JsonObject } from '../../src/matrix/wire.ts';
import { pages as english } from '../../src/pages/texts/en/pages.ts';
import { DRAWN_AT, drawn } from './account_act_states.ts';
import type { PageVisit, PageWalk } from './page_visit.ts';

const STATE = '/v3/account/two-factor';
const CODES = '/v3/account/two-factor/recovery';
const DEVICES = '/v3/devices';
const HISTORY = '/org.matrix.2fa/history';
const CONTACTS = '/org.matrix.2fa/recovery_contacts';
const VOTE = '/org.matrix.2fa/recovery_vote';
const MINUTE = 60_000;

const owner = (visit: PageVisit) => visit.onceForEach(['bob', 'dora']);

const SET = {
  ...{ allowed: true, time_zone: 'Europe/Berlin', server_time_zone: 'UTC' },
  voters: [{ user_id: '@carol:localhost', counts_from_ts: DRAWN_AT }],
  contact: { kind: 'mail', address: 'friend@example.net', confirmed_ts: null },
  absences: [{ from: '2026-12-21', to: '2026-12-31' }],
  available: { voters: true, mail: true, phone: false, absences: true },
};
const NUMBER = { kind: 'phone', address: '+4915112345678', confirmed_ts: null };

function answerContacts(visit: PageVisit, contacts: object): Promise<void> {
  return visit.answers.give(CONTACTS, { ...SET, ...contacts });
}

async function showContacts(visit: PageVisit, contacts: object): Promise<void> {
  await answerContacts(visit, contacts);
  await visit.page.reload();
}

/** The question whether one of the rows is to be removed. */
async function openRemoval(visit: PageVisit, nth: number): Promise<void> {
  await visit.closeDialog();
  const remove = visit.words('auth.remove');
  await visit.page.locator('#recovery-contacts li button', { hasText: remove }).nth(nth).click();
  await visit.dialog().waitFor();
}

/** What an owner has set for a recovery. */
const CONTACT_STATES: PageWalk = [
  drawn('account-contacts', 'Everything is set for a recovery', async (visit) => {
    await visit.answers.give(CONTACTS, SET);
    await visit.openAccountOn(owner(visit));
  }),
  drawn('account-absence-remove', 'An absence is removed', (visit) => openRemoval(visit, 0)),
  drawn('account-voter-remove', 'A person who may vote is removed', (visit) => openRemoval(visit, 1)),
  drawn('account-contacts-remove', 'All of it is removed', (visit) => visit.openDialog('contacts.removeAll')),
  drawn('account-contacts-confirmed', 'The contact address was confirmed', (visit) =>
    showContacts(visit, { contact: { ...SET.contact, confirmed_ts: DRAWN_AT } }),
  ),
  drawn('account-contacts-phone', 'A phone number waits for its confirmation', (visit) =>
    showContacts(visit, { contact: NUMBER, available: { ...SET.available, phone: true } }),
  ),
  drawn('account-address', 'Another address, or a phone number', (visit) =>
    visit.openDialog('contacts.mailChange'),
  ),
  drawn('account-phone', 'The same where the server sends text messages only', async (visit) => {
    await showContacts(visit, { contact: null, available: { ...SET.available, mail: false, phone: true } });
    await visit.openDialog('contacts.mailChange');
  }),
  drawn('account-contacts-forbidden', 'The policy does not let the account be recovered', (visit) =>
    showContacts(visit, { allowed: false }),
  ),
  drawn('account-contacts-changed', 'It was changed', async (visit) => {
    await showContacts(visit, {});
    await openRemoval(visit, 0);
    await answerContacts(visit, { absences: [] });
    await visit.fillDialog(owner(visit));
    await visit.waitForText('contacts.changed');
  }),
  drawn('account-contacts-removed', 'It was removed', async (visit) => {
    await visit.openDialog('contacts.removeAll');
    await answerContacts(visit, { voters: [], time_zone: null, contact: null, absences: [] });
    await visit.fillDialog(owner(visit));
    await visit.waitForText('contacts.removed');
  }),
];

const ASKED = { user_id: '@carol:localhost', begun_ts: DRAWN_AT, open: true, vote: null, voted_ts: null };

async function askVote(visit: PageVisit, body: object, status = 200): Promise<void> {
  await visit.answers.give(VOTE, body, status);
  await visit.page.reload();
}

/** Somebody has named the owner of the account as a person who knows them. */
const VOTES: PageWalk = [
  {
    ...drawn('account-vote', 'A voter is asked about a recovery', async (visit) => {
      await visit.answers.give(VOTE, ASKED);
      await visit.open(`/_2fa/recover/vote?t=${'A'.repeat(27)}`);
      await visit.openAccountOn(owner(visit));
    }),
    isMain: true,
  },
  drawn('account-vote-yes', 'They say yes', (visit) => visit.openDialog('vote.yes')),
  drawn('account-vote-no', 'They say no', (visit) => visit.openDialog('vote.no')),
  drawn('account-vote-answered', 'They have answered before', (visit) =>
    askVote(visit, { ...ASKED, vote: 'yes', voted_ts: DRAWN_AT }),
  ),
  drawn('account-vote-over', 'It has ended by now', (visit) => askVote(visit, { ...ASKED, open: false })),
  drawn('account-vote-unknown', 'The link is for another account', (visit) =>
    askVote(visit, { errcode: 'M_NOT_FOUND', error: 'none' }, 404),
  ),
  drawn('account-vote-not-loaded', 'What they are asked could not be loaded', (visit) =>
    askVote(visit, {}, 502),
  ),
  drawn('account-vote-thanks', 'Their answer was recorded', async (visit) => {
    await askVote(visit, ASKED);
    await visit.openDialog('vote.no');
    await visit.fillDialog(owner(visit));
    await visit.waitForText('vote.thanks');
  }),
];

const SEEN = {
  ...{ device_id: 'PHONE', display_name: 'Pixel 9' },
  ...{ last_seen_ts: DRAWN_AT, last_seen_ip: '192.0.2.7' },
};

const happened = (event: string, n: number, detail: object) => {
  const place = { address: '192.0.2.7', device_id: null };
  return { at: DRAWN_AT - n * 3_600_000, event, detail, ...place };
};

/** The keys of texts that are names of events. */
const EVENT =
  /^(?:factor|throttle|login|guard|appservice|operator|emergency_code|device_password|recovery|recovery_request|recovery_contacts|oauth|policy|totp|webauthn)\.[a-z_]+$/;

/** What can have been approved. */
const ACTIONS = [
  ...['change_password', 'deactivate_account', 'add_address', 'remove_address', 'set_signing_keys'],
  ...['give_login_token', 'remove_devices', 'remove_device', 'other'],
];

/** Everything that can have happened. */
async function answerAllEvents(visit: PageVisit): Promise<void> {
  const { app, users } = visit.scene;
  const userId = users[owner(visit)]?.userId ?? '';
  const [phone] = await app.storage.factors.authenticators(userId);
  const detail = { authenticator: phone?.id, remaining: 3 };
  const names = Object.keys(english).filter((key) => EVENT.test(key));
  const events = [
    ...names.map((name, n) => happened(name, n, detail)),
    happened('factor.refused', 1000, { factor: 'webauthn' }),
    ...ACTIONS.map((action, n) => happened('guard.passed', 1010 + n, { action, devices: 2 })),
    happened('login.completed', 1020, {}),
    happened('no.such', 1030, {}),
  ];
  await visit.answers.give(HISTORY, { events });
}

/** Parts that are loaded late, or asked for by an app. */
const PARTS: PageWalk = [
  drawn('account-activity', 'Everything that can have happened', async (visit) => {
    await answerAllEvents(visit);
    await visit.answers.give(DEVICES, { devices: [SEEN] });
    await visit.openAccountOn(owner(visit));
    await visit.press('history.more');
  }),
  drawn('account-device-password-unusable', 'A device password that no longer works', async (visit) => {
    await visit.answers.end();
    const old = { id: 'd', name: 'Bot', usable: false, created_at: DRAWN_AT, last_used_at: DRAWN_AT };
    await visit.answers.give('/org.matrix.2fa/device_passwords', { device_passwords: [old] });
    await visit.page.reload();
  }),
  drawn('account-asked-device', 'An app asks for one of the devices', async (visit) => {
    await visit.answers.end();
    const [device] = visit.scene.app.stub.devicesOf(owner(visit));
    await visit.open(`/_2fa/account?action=org.matrix.device_view&device_id=${device?.deviceId}`);
    await visit.waitForText('sessions.asked');
  }),
  drawn('account-asked-gone', 'An app asks to end a device that is not there', async (visit) => {
    await visit.open('/_2fa/account?action=org.matrix.device_delete&device_id=GONE');
    await visit.waitForText('sessions.askedGone');
  }),
  {
    ...drawn('account-loading', 'A part that is awaited', async (visit) => {
      await visit.answers.keepBack(DEVICES);
      await visit.open('/_2fa/account');
    }),
    isLoading: true,
  },
];

/** From now on scripts get the answer of their passkey, too: its server has another name than this browser sees. */
async function takeQuestions({ page, scene }: PageVisit): Promise<void> {
  const { key } = scene.frank;
  await page.exposeFunction('answerOf', (question: JsonObject) => key.get(question));
  await page.addInitScript(`
    PublicKeyCredential.parseRequestOptionsFromJSON = (question) => question;
    navigator.credentials.get = async ({ publicKey }) => {
      const answer = await answerOf(publicKey);
      const made = Object.create(PublicKeyCredential.prototype);
      return Object.defineProperty(made, 'toJSON', { value: () => answer });
    };`);
}

/** The provider says that it is this user. */
async function openAccountByProvider(visit: PageVisit, name: string): Promise<void> {
  const { sso } = visit.scene;
  await visit.forgetForms();
  await visit.open('/_2fa/account');
  const way = await visit.page.locator('a[href*="/login/sso/redirect/"]').getAttribute('href');
  const before = sso.signedInAs;
  sso.signedInAs = name;
  await visit.comeThrough(way ?? '');
  sso.signedInAs = before;
  await visit.giveCode(visit.freshCode(name));
}

/** A user who has a passkey and no app. */
const PASSKEY: PageWalk = [
  {
    ...drawn('account-passkey', 'The account page of a user with a passkey', async (visit) => {
      await takeQuestions(visit);
      await visit.open('/_2fa/account');
      await visit.givePassword('frank', 'frank password');
      await visit.usePasskey();
    }),
    isMain: true,
  },
  drawn('account-proof-passkey', 'New recovery codes ask for the password and the passkey', (visit) =>
    visit.openDialog('codes.create'),
  ),
  drawn('account-proof-passkey-refused', 'The same when it was not accepted', async (visit) => {
    const refusal = { status: 400, body: { errcode: 'M_BAD_JSON', error: 'no' } };
    await visit.answers.giveBy(CODES, (sent) => (sent.includes('credential') ? refusal : undefined));
    await visit.press('code.passkey');
    await visit.waitForText('code.passkeyRefused');
    await visit.answers.end(CODES);
  }),
  drawn('account-proof-passkey-accepted', 'The same when it was accepted', async (visit) => {
    await visit.press('code.passkey');
    await visit.waitForText('proof.passkeyAccepted');
  }),
  drawn('account-passkey-remove', 'The passkey is removed', async (visit) => {
    await visit.closeDialog();
    await visit.page.locator('.menu summary').first().click();
    await visit.page.locator('.menu button').first().click();
    await visit.dialog().waitFor();
  }),
  drawn(
    'account-passkey-remarks',
    'A passkey that is backed up, of no use any more, and may have been copied',
    async (visit) => {
      await visit.answers.change(STATE, (state) => JSON.parse(JSON.stringify(state), remark));
      await visit.page.reload();
    },
  ),
  drawn(
    'account-passkey-add',
    'A further authenticator when the last factor counts no more',
    async (visit) => {
      await visit.answers.end(STATE);
      visit.wait(10 * MINUTE);
      await visit.page.reload();
      await visit.openDialog('auth.add');
    },
  ),
  drawn('account-no-password', 'The account page of a user who signs in by a provider', async (visit) => {
    await openAccountByProvider(visit, 'pia');
  }),
  drawn(
    'account-proof-provider',
    'New recovery codes ask for the code and for the provider',
    async (visit) => {
      await visit.openDialog('codes.create');
      await visit.giveDialogCode(visit.freshCode('pia'));
      await visit.waitForText('approve.provider');
    },
  ),
  drawn('account-no-password-recovered', 'The same after a recovery code at another door', async (visit) => {
    const events = ['recovery.used', 'login.held_ended'].map((event, n) => happened(event, n, {}));
    await visit.answers.give(HISTORY, { events });
    await visit.page.reload();
  }),
];

/** What is to be known of passkeys. */
function remark(this: object, key: string, value: unknown): unknown {
  if (key === 'authenticators' && Array.isArray(value))
    return value.map((each) => ({ ...each, usable: false, backed_up: true, counter_alert_at: DRAWN_AT }));
  return value;
}

/** The parts of the account page, with what the server can tell of them. */
export const PART_WALKS: readonly PageWalk[] = [CONTACT_STATES, VOTES, PARTS, PASSKEY];
