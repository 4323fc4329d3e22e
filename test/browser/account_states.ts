import { PASSWORD, type PageState, type PageVisit, type PageWalk } from './page_visit.ts';

const MINUTE = 60_000;
const PHONE = { width: 360, height: 700 };
const WINDOW = { width: 1000, height: 700 };
const HISTORY = '**/org.matrix.2fa/history';
const DEVICES = '**/v3/devices';

async function accountOf(visit: PageVisit, name: string): Promise<void> {
  await visit.open('/_2fa/account');
  await visit.givePassword(name);
}

/** A dialog of the account page that stands open. */
function dialog(name: string, says: string, open: (visit: PageVisit) => Promise<void>): PageState {
  return { name, says, isOnce: true, reach: open };
}

const SET_UP: PageWalk = [
  {
    name: 'account-set-up-proof',
    says: '2FA is turned on: the password is asked for',
    isOnce: true,
    reach: async (visit) => {
      await accountOf(visit, visit.onceForEach(['alice', 'alina']));
      await visit.openDialog('status.turnOn');
    },
  },
  {
    name: 'account-scan-phone',
    says: 'The set-up on a phone: its app is opened',
    isOnce: true,
    reach: async (visit) => {
      await visit.page.setViewportSize(PHONE);
      await visit.fillDialog('');
      await visit.page.locator('a[href^="otpauth:"]').waitFor();
    },
  },
  {
    name: 'account-scan',
    says: 'The picture to scan',
    isMain: true,
    isOnce: true,
    reach: async (visit) => {
      await visit.page.setViewportSize(WINDOW);
      await visit.press('setup.next');
      await visit.press('shell.back');
      await visit.page.locator('details:has(.key) > summary').click();
    },
  },
  {
    name: 'account-verify',
    says: 'The first code',
    isMain: true,
    isOnce: true,
    reach: (visit) => visit.press('setup.next'),
  },
  {
    name: 'account-verify-missing',
    says: 'The same when nothing was typed',
    isOnce: true,
    reach: (visit) => visit.verify('', 'code.missing'),
  },
  {
    name: 'account-verify-wrong',
    says: 'The same after a wrong code',
    isOnce: true,
    reach: (visit) => visit.verify('000000', 'setup.wrong'),
  },
  {
    name: 'account-codes',
    says: 'New recovery codes',
    isMain: true,
    isOnce: true,
    reach: async (visit) => visit.verify(await visit.codeOfKeyBefore(), 'save.title'),
  },
  {
    name: 'account-codes-untick',
    says: 'The same where they are not said to be saved',
    isOnce: true,
    reach: (visit) => visit.press('save.finish'),
  },
  {
    name: 'account-codes-print',
    says: 'The same on paper',
    isOnce: true,
    reach: (visit) => visit.page.emulateMedia({ media: 'print' }),
  },
  {
    name: 'account-turned-on',
    says: '2FA is on now',
    isOnce: true,
    reach: async (visit) => {
      await visit.page.emulateMedia({ media: 'screen' });
      await visit.page.locator('#saved').check();
      await visit.press('save.finish');
      await visit.page.locator('.notice.good').waitFor();
    },
  },
];

/** Each language has one of its own: wrong codes of one pass do not count in the other. */
const owner = (visit: PageVisit) => visit.onceForEach(['bob', 'dora']);

const DIALOGS: PageWalk = [
  {
    name: 'account-on',
    says: 'The account page of a user with 2FA',
    isMain: true,
    reach: (visit) => visit.openAccountOn(owner(visit)),
  },
  dialog('account-proof', 'New recovery codes ask for password and code', (visit) =>
    visit.openDialog('codes.create'),
  ),
  dialog('account-proof-missing', 'The same when nothing was typed', async (visit) => {
    await visit.page.keyboard.press('Enter');
    await visit.page.locator('dialog [aria-invalid="true"]').waitFor();
  }),
  dialog('account-proof-wrong-code', 'The same after a wrong code', (visit) =>
    visit.fillWrongly(visit.wrongCode(owner(visit)), PASSWORD, 'code.wrong'),
  ),
  dialog(
    'account-proof-wrong-password',
    'The same after a wrong password: the code was accepted',
    async (visit) => {
      await visit.openDialog('codes.create');
      await visit.fillWrongly(visit.freshCode(owner(visit)), 'wrong', 'approve.wrongPassword');
    },
  ),
  dialog('account-password', 'The password is changed', (visit) => visit.openDialog('end.password')),
  dialog('account-deactivate', 'The account is ended', (visit) => visit.openDialog('end.deactivate')),
  dialog('account-rename', 'An authenticator is renamed', (visit) =>
    visit.openDialog('auth.renameOf', { name: 'phone' }),
  ),
  dialog('account-replace', 'An authenticator is replaced', (visit) =>
    visit.openDialog('auth.replaceOf', { name: 'phone' }),
  ),
  dialog('account-add', 'A further authenticator is added', (visit) => visit.openDialog('auth.add')),
  dialog('account-remove', 'The last authenticator is removed', async (visit) => {
    await visit.closeDialog();
    await visit.page.locator('.menu summary').first().click();
    await visit.openDialog('auth.removeOf', { name: 'phone' });
  }),
  dialog('account-delete-codes', 'Recovery codes are deleted', (visit) => visit.openDialog('codes.delete')),
  dialog('account-turn-off', '2FA is turned off', (visit) => visit.openDialog('off.button')),
  dialog('account-sign-out-device', 'A device is signed out', (visit) =>
    visit.openDialog('sessions.signOutOf', { name: 'Pixel 9' }),
  ),
  dialog('account-sign-out-others', 'All other devices are signed out', (visit) =>
    visit.openDialog('sessions.signOutOthers'),
  ),
  dialog('account-device-password-add', 'A device password is made', (visit) =>
    visit.openDialog('devicePasswords.add'),
  ),
  dialog('account-zone', 'The time zone for a recovery', (visit) => visit.openDialog('contacts.zoneChange')),
  dialog('account-mail', 'The contact address for a recovery', (visit) =>
    visit.openDialog('contacts.mailChange'),
  ),
  dialog('account-absence', 'An absence is entered', (visit) => visit.openDialog('contacts.awayAdd')),
  dialog('account-voter', 'A person who may vote is named', (visit) => visit.openDialog('contacts.voterAdd')),
];

/** A user with 2FA adds what they can. */
const ADDING: PageWalk = [
  {
    name: 'account-verify-kept',
    says: 'The first code of a further authenticator: recovery codes stay',
    isOnce: true,
    reach: async (visit) => {
      await visit.openAccountOn('ida');
      await visit.openDialog('auth.add');
      await visit.fillDialog('ida');
      await visit.press('setup.next');
    },
  },
  {
    name: 'account-added',
    says: 'It was added',
    isMain: true,
    isOnce: true,
    reach: async (visit) => visit.verify(await visit.codeOfKeyBefore(), 'setup.doneAdded'),
  },
  {
    name: 'account-remove-one',
    says: 'One of several authenticators is removed',
    isOnce: true,
    reach: async (visit) => {
      await visit.page.locator('.menu summary').first().click();
      await visit.openDialog('auth.removeOf', { name: 'phone' });
    },
  },
  {
    name: 'account-device-password',
    says: 'A new device password',
    isOnce: true,
    reach: async (visit) => {
      await visit.openDialog('devicePasswords.add');
      await visit.fillDialog('ida');
      await visit.page.locator('code.secret').waitFor();
    },
  },
  {
    name: 'account-device-passwords',
    says: 'It stands in the list',
    isOnce: true,
    reach: (visit) => visit.press('save.finish'),
  },
  {
    name: 'account-revoke',
    says: 'It is revoked',
    isOnce: true,
    reach: (visit) => visit.openDialog('devicePasswords.revokeOf', { name: 'App' }),
  },
];

export const ACCOUNT_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'account-signed-out',
      says: 'The account page before the sign-in',
      isMain: true,
      reach: (visit) => visit.open('/_2fa/account'),
    },
    {
      name: 'account-wrong-password',
      says: 'The same after a wrong password',
      reach: (visit) => visit.givePassword('carol', 'wrong'),
    },
    {
      name: 'account-code',
      says: 'The second factor is asked for there',
      reach: (visit) => visit.givePassword('rita'),
    },
    {
      name: 'account-recovered',
      says: 'The account page after a sign-in by recovery code',
      isMain: true,
      reach: (visit) => visit.giveRecoveryCode(visit.recoveryCode('rita')),
    },
    {
      name: 'account-recovered-again',
      says: 'The same ten minutes later',
      reach: async (visit) => {
        visit.wait(10 * MINUTE);
        await visit.page.reload();
      },
    },
    {
      name: 'account-left',
      says: 'The account page after its user has signed out',
      reach: async (visit) => {
        const loaded = visit.page.waitForEvent('load');
        await visit.press('account.signOut');
        await loaded;
      },
    },
    {
      name: 'account-idle',
      says: 'The same after some time without activity',
      reach: (visit) => visit.open('/_2fa/account?signed_out=idle'),
    },
  ],
  [
    {
      name: 'account-recovery-field',
      says: 'The recovery code is asked for at the sign-in of the account page',
      isOnce: true,
      reach: async (visit) => {
        await accountOf(visit, 'bob');
        await visit.openRecoveryField();
      },
    },
    {
      name: 'account-sign-in-needs-script',
      says: 'The account page of a browser without script, before the sign-in',
      isOnce: true,
      reach: (visit) => visit.openWithoutScript('/_2fa/account'),
    },
    {
      name: 'account-needs-script',
      says: 'The same after it',
      isOnce: true,
      reach: async (visit) => {
        await visit.openAccountOn('bob');
        await visit.openWithoutScript('/_2fa/account');
      },
    },
  ],
  [
    {
      name: 'account-off',
      says: 'The account page of a user without 2FA',
      isMain: true,
      reach: (visit) => accountOf(visit, 'alice'),
    },
    {
      name: 'account-off-no-password',
      says: 'The same of a user who signs in by a provider',
      reach: async (visit) => {
        await visit.answerNoPassword();
        await visit.page.reload();
      },
    },
    {
      name: 'account-not-loaded',
      says: 'The account page where the server does not answer',
      reach: async (visit) => {
        await visit.answerParts(502, {});
        await visit.page.reload();
      },
    },
    {
      name: 'account-limited',
      says: 'The same where the server is busy',
      reach: async (visit) => {
        await visit.answerParts(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 20_000 });
        await visit.page.reload();
      },
    },
    {
      name: 'account-closed',
      says: 'The same where the page itself is not answered',
      reach: async (visit) => {
        await visit.answer('**/_2fa/account/session', {}, 502);
        await visit.page.reload();
      },
    },
  ],
  [
    {
      name: 'account-weak',
      says: 'The account page of a user with one authenticator and no recovery code',
      isMain: true,
      reach: async (visit) => {
        await accountOf(visit, 'dave');
        await visit.giveCode(visit.freshCode('dave'));
      },
    },
  ],
  [
    {
      name: 'account-recovered-last',
      says: 'The account page after the last recovery code',
      reach: async (visit) => {
        await accountOf(visit, 'lou');
        await visit.giveRecoveryCode(visit.recoveryCode('lou'));
      },
    },
  ],
  [
    {
      name: 'account-recovered-earlier',
      says: 'A recovery code was used at another door',
      reach: async (visit) => {
        const event = {
          at: 1.9e12,
          event: 'recovery.used',
          address: '192.0.2.7',
          device_id: null,
          detail: {},
        };
        await visit.answer(HISTORY, { events: [event] });
        await visit.openAccountOn('bob');
      },
    },
    {
      name: 'account-empty',
      says: 'No other device, and no activity',
      reach: async (visit) => {
        await visit.answer(HISTORY, { events: [] });
        await visit.answer(DEVICES, { devices: [] });
        await visit.page.reload();
      },
    },
    {
      name: 'account-parts-not-loaded',
      says: 'Parts for users with 2FA that were not loaded',
      reach: async (visit) => {
        await visit.answer('**/org.matrix.2fa/device_passwords', {}, 502);
        await visit.answer('**/org.matrix.2fa/recovery_contacts', {}, 502);
        await visit.page.reload();
      },
    },
  ],
  [
    {
      name: 'account-vote',
      says: 'A voter is asked about a recovery',
      reach: async (visit) => {
        const asked = {
          user_id: '@carol:localhost',
          begun_ts: 1.9e12,
          open: true,
          vote: null,
          voted_ts: null,
        };
        await visit.answer('**/org.matrix.2fa/recovery_vote', asked);
        await visit.open(`/_2fa/recover/vote?t=${'A'.repeat(27)}`);
        await visit.openAccountOn('bob');
      },
    },
    {
      name: 'account-asked',
      says: 'An app asks for a part of the page',
      reach: (visit) => visit.open('/_2fa/account?action=org.matrix.cross_signing_reset'),
    },
  ],
  DIALOGS,
  ADDING,
  SET_UP,
];
