import { ACCESS_STATES } from './access_states.ts';
import { DRAWN_STATES } from './drawn_states.ts';
import { ERROR_STATES, LATE_STATES } from './error_states.ts';
import { PASSWORD, type PageState, type PageVisit } from './page_visit.ts';
import { RECOVER_STATES } from './recover_states.ts';
import { SIGN_IN_STATES } from './sign_in_states.ts';

async function upToCode(visit: PageVisit, name: string): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword(name);
}

async function accountOf(visit: PageVisit, name: string): Promise<void> {
  await visit.open('/_2fa/account');
  await visit.givePassword(name);
}

async function accountOn(visit: PageVisit): Promise<void> {
  await visit.openAccountOn('bob');
}

async function setUpOf(visit: PageVisit): Promise<void> {
  await accountOf(visit, 'alice');
  await visit.press('status.turnOn');
  await visit.fillDialog();
}

async function savedCodesOf(visit: PageVisit): Promise<void> {
  await visit.openAccountOn('ida');
  await visit.press('codes.create');
  await visit.fillDialog(visit.freshCode('ida'));
  await visit.page.locator('.codes').waitFor();
}

/** A dialog of the account page. */
function dialog(name: string, says: string, open: (visit: PageVisit) => Promise<void>): PageState {
  return {
    name,
    says,
    reach: async (visit) => {
      await accountOn(visit);
      await open(visit);
      await visit.page.getByRole('dialog').waitFor();
    },
  };
}

/** All of them that a test reaches and that `npm run pages` photographs. A further one is a further line. */
export const PAGE_STATES: readonly PageState[] = [
  {
    name: 'sign-in',
    says: 'The sign-in page, as a client leads to it',
    isMain: true,
    reach: (visit) => visit.openSignIn(),
  },
  {
    name: 'sign-in-wrong-password',
    says: 'The same after a wrong password',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.givePassword('carol', 'wrong');
    },
  },
  {
    name: 'sign-in-code',
    says: 'The second factor is asked for',
    isMain: true,
    reach: (visit) => upToCode(visit, 'bob'),
  },
  {
    name: 'sign-in-wrong-code',
    says: 'The same after a wrong code',
    reach: async (visit) => {
      await upToCode(visit, 'carol');
      await visit.giveCode(visit.wrongCode('carol'));
    },
  },
  {
    name: 'sign-in-consent',
    says: 'All is proven: the client is named before the browser goes back',
    isMain: true,
    reach: async (visit) => {
      await upToCode(visit, 'bob');
      await visit.giveCode(visit.freshCode('bob'));
    },
  },
  {
    name: 'sign-in-no-client',
    says: 'The sign-in page that no client led to',
    reach: (visit) => visit.open('/_2fa/login'),
  },
  {
    name: 'sign-in-missing',
    says: 'The sign-in page after an empty form',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.enter();
    },
  },
  {
    name: 'sign-in-code-missing',
    says: 'The second factor is asked for once more: nothing was typed',
    reach: async (visit) => {
      await upToCode(visit, 'carol');
      await visit.giveCode('');
    },
  },
  {
    name: 'sign-in-wrong-recovery',
    says: 'The same after a wrong recovery code',
    reach: async (visit) => {
      await upToCode(visit, 'erin');
      await visit.giveRecoveryCode('0000-0000-0000');
    },
  },
  {
    name: 'sign-in-consent-recovery',
    says: 'All is proven by a recovery code: the client is named, and what is left',
    isMain: true,
    reach: async (visit) => {
      await upToCode(visit, 'erin');
      await visit.giveRecoveryCode(visit.recoveryCode('erin'));
    },
  },
  {
    name: 'sign-in-cancelled',
    says: 'The client got no access',
    reach: async (visit) => {
      await upToCode(visit, 'bob');
      await visit.giveCode(visit.freshCode('bob'));
      const loaded = visit.page.waitForEvent('load');
      await visit.press('confirm.cancel');
      await loaded;
    },
  },
  {
    name: 'approve-password',
    says: 'The fallback page asks for the password',
    reach: async (visit) => {
      await visit.openFallback('bob');
      await visit.giveCode(visit.freshCode('bob'));
    },
  },
  {
    name: 'approve-wrong-password',
    says: 'The same after a wrong password',
    reach: async (visit) => {
      await visit.openFallback('bob');
      await visit.giveCode(visit.freshCode('bob'));
      await visit.giveCurrentPassword('wrong');
    },
  },
  {
    name: 'approve-wrong-code',
    says: 'The fallback page after a wrong code',
    reach: async (visit) => {
      await visit.openFallback('bob');
      await visit.giveCode(visit.wrongCode('bob'));
    },
  },
  {
    name: 'approve-too-many-codes',
    says: 'The fallback page after the last wrong code that it takes',
    reach: async (visit) => {
      await visit.openFallback('bob');
      for (let time = 0; time < 5; time++) await visit.giveCode(visit.wrongCode('bob'));
    },
  },
  {
    name: 'approve-closed',
    says: 'The fallback page where the homeserver says that the account is locked',
    reach: async (visit) => {
      await visit.openFallback('bob');
      await visit.giveCode(visit.freshCode('bob'));
      visit.failNext('/delete_devices', 401, 'M_USER_LOCKED');
      await visit.giveCurrentPassword(PASSWORD);
    },
  },
  {
    name: 'approve-oauth',
    says: 'The fallback page where the homeserver checks no password for the app',
    reach: async (visit) => {
      await visit.openFallback('bob');
      await visit.giveCode(visit.freshCode('bob'));
      visit.failNext('/delete_devices', 403, 'M_FORBIDDEN');
      await visit.giveCurrentPassword(PASSWORD);
    },
  },
  ...ACCESS_STATES,
  ...SIGN_IN_STATES,
  ...ERROR_STATES,
  ...DRAWN_STATES,
  ...RECOVER_STATES,
  { name: 'help', says: 'Help before the sign-in', isMain: true, reach: (visit) => visit.open('/_2fa/help') },
  {
    name: 'not-found',
    says: 'A page that is not there',
    reach: (visit) => visit.open('/_2fa/not-found'),
  },
  {
    name: 'approve-code',
    says: 'The fallback page: a client removes a device',
    isMain: true,
    reach: (visit) => visit.openFallback('bob'),
  },
  {
    name: 'approve-ended',
    says: 'A fallback page whose session is not there',
    reach: (visit) => visit.open('/_matrix/client/v3/auth/m.login.2fa.totp/fallback/web?session=none'),
  },
  {
    name: 'account-signed-out',
    says: 'The account page before the sign-in',
    isMain: true,
    reach: (visit) => visit.open('/_2fa/account'),
  },
  {
    name: 'account-wrong-password',
    says: 'The same after a wrong password',
    reach: async (visit) => {
      await visit.open('/_2fa/account');
      await visit.givePassword('carol', 'wrong');
    },
  },
  {
    name: 'account-off',
    says: 'The account page of a user without 2FA',
    isMain: true,
    reach: (visit) => accountOf(visit, 'alice'),
  },
  {
    name: 'account-on',
    says: 'The account page of a user with 2FA',
    isMain: true,
    reach: accountOn,
  },
  {
    name: 'account-weak',
    says: 'The account page of a user with one authenticator and no recovery code',
    isMain: true,
    reach: async (visit) => {
      await accountOf(visit, 'dave');
      await visit.giveCode(visit.freshCode('dave'));
    },
  },
  {
    name: 'account-recovery-field',
    says: 'The recovery code is asked for at the sign-in of the account page',
    reach: async (visit) => {
      await accountOf(visit, 'bob');
      await visit.openRecoveryField();
    },
  },
  {
    name: 'account-recovered',
    says: 'The account page after a sign-in by recovery code',
    isMain: true,
    reach: async (visit) => {
      await accountOf(visit, 'bob');
      await visit.giveRecoveryCode(visit.recoveryCode('bob'));
    },
  },
  {
    name: 'account-needs-script',
    says: 'The account page of a browser without script',
    reach: async (visit) => {
      await accountOn(visit);
      await visit.openWithoutScript('/_2fa/account');
    },
  },
  {
    name: 'account-sign-in-needs-script',
    says: 'The same before the sign-in',
    reach: (visit) => visit.openWithoutScript('/_2fa/account'),
  },
  {
    name: 'account-not-loaded',
    says: 'The account page where the server does not answer',
    reach: async (visit) => {
      await visit.answerParts(502, {});
      await accountOf(visit, 'alice');
    },
  },
  {
    name: 'account-limited',
    says: 'The same where the server is busy',
    reach: async (visit) => {
      await visit.answerParts(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 20_000 });
      await accountOf(visit, 'alice');
    },
  },
  dialog('account-password', 'The password is changed', (visit) => visit.press('end.password')),
  dialog('account-deactivate', 'The account is ended', (visit) => visit.press('end.deactivate')),
  dialog('account-proof', 'New recovery codes ask for password and code', (visit) =>
    visit.press('codes.create'),
  ),
  dialog('account-proof-missing', 'The same when nothing was typed', async (visit) => {
    await visit.press('codes.create');
    await visit.page.getByRole('dialog').waitFor();
    await visit.page.keyboard.press('Enter');
    await visit.page.locator('dialog [aria-invalid]').waitFor();
  }),
  dialog('account-rename', 'An authenticator is renamed', (visit) =>
    visit.press('auth.renameOf', { name: 'phone' }),
  ),
  dialog('account-remove', 'The last authenticator is removed', async (visit) => {
    await visit.page.locator('.menu summary').first().click();
    await visit.press('auth.removeOf', { name: 'phone' });
  }),
  dialog('account-delete-codes', 'Recovery codes are deleted', (visit) => visit.press('codes.delete')),
  dialog('account-turn-off', '2FA is turned off', (visit) => visit.press('off.button')),
  dialog('account-sign-out-device', 'A device is signed out', (visit) =>
    visit.press('sessions.signOutOf', { name: 'Pixel 9' }),
  ),
  {
    name: 'account-scan',
    says: 'A set-up: the picture to scan',
    isMain: true,
    reach: async (visit) => {
      await setUpOf(visit);
      await visit.page.locator('details:has(.key) > summary').click();
    },
  },
  {
    name: 'account-verify',
    says: 'A set-up: the first code',
    reach: async (visit) => {
      await setUpOf(visit);
      await visit.press('setup.next');
    },
  },
  {
    name: 'account-verify-wrong',
    says: 'The same after a wrong code',
    reach: async (visit) => {
      await setUpOf(visit);
      await visit.press('setup.next');
      await visit.page.locator('input[name="code"]').fill('000000');
      await visit.page.keyboard.press('Enter');
      await visit.page.locator('[aria-invalid]').waitFor();
    },
  },
  { name: 'account-codes', says: 'New recovery codes', isMain: true, reach: savedCodesOf },
  {
    name: 'account-codes-print',
    says: 'The same on paper',
    reach: async (visit) => {
      await savedCodesOf(visit);
      await visit.page.emulateMedia({ media: 'print' });
    },
  },
  {
    name: 'account-device-password',
    says: 'A new device password',
    reach: async (visit) => {
      await visit.openAccountOn('ida');
      await visit.press('devicePasswords.add');
      await visit.fillDialog(visit.freshCode('ida'));
      await visit.page.locator('code.secret').waitFor();
    },
  },
  {
    name: 'sign-in-foreign-form',
    says: 'A form whose browser keeps no cookies',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.page.context().clearCookies();
      await visit.givePassword('alice');
    },
  },
  ...LATE_STATES,
];
