import { ACT_WALKS, DRAWN_AT } from './account_act_states.ts';
import { PART_WALKS } from './account_part_states.ts';
import type { PageVisit, PageWalk } from './page_visit.ts';

const MINUTE = 60_000;
const PHONE = { width: 360, height: 700 };
const WINDOW = { width: 1000, height: 700 };
const HISTORY = '/org.matrix.2fa/history';
const DEVICES = '/v3/devices';
const SESSION = '/_2fa/account/session';

async function accountOf(visit: PageVisit, name: string): Promise<void> {
  await visit.open('/_2fa/account');
  await visit.givePassword(name);
}

/** What each part of the account page is told. */
async function answerParts(visit: PageVisit, status: number, body: object): Promise<void> {
  for (const part of [DEVICES, HISTORY, '/v3/account/two-factor'])
    await visit.answers.give(part, body, status);
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
    name: 'account-codes-downloaded',
    says: 'The same after they were downloaded',
    isOnce: true,
    reach: (visit) => visit.press('save.download'),
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
        await visit.answers.change(SESSION, (body) => ({ ...body, has_password: false }));
        await visit.page.reload();
      },
    },
    {
      name: 'account-not-loaded',
      says: 'The account page where the server does not answer',
      reach: async (visit) => {
        await answerParts(visit, 502, {});
        await visit.page.reload();
      },
    },
    {
      name: 'account-limited',
      says: 'The same where the server is busy',
      reach: async (visit) => {
        await answerParts(visit, 429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 20_000 });
        await visit.page.reload();
      },
    },
    {
      name: 'account-closed',
      says: 'The same where the page itself is not answered',
      reach: async (visit) => {
        await visit.answers.give(SESSION, {}, 502);
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
          at: DRAWN_AT,
          event: 'recovery.used',
          address: '192.0.2.7',
          device_id: null,
          detail: {},
        };
        await visit.answers.give(HISTORY, { events: [event] });
        await visit.openAccountOn('bob');
      },
    },
    {
      name: 'account-empty',
      says: 'No other device, and no activity',
      reach: async (visit) => {
        await visit.answers.give(HISTORY, { events: [] });
        await visit.answers.give(DEVICES, { devices: [] });
        await visit.page.reload();
      },
    },
    {
      name: 'account-parts-not-loaded',
      says: 'Parts for users with 2FA that were not loaded',
      reach: async (visit) => {
        await visit.answers.give('/org.matrix.2fa/device_passwords', {}, 502);
        await visit.answers.give('/org.matrix.2fa/recovery_contacts', {}, 502);
        await visit.page.reload();
      },
    },
  ],
  [
    {
      name: 'account-asked',
      says: 'An app asks for a part of the page',
      reach: async (visit) => {
        await visit.openAccountOn('bob');
        await visit.open('/_2fa/account?action=org.matrix.cross_signing_reset');
      },
    },
  ],
  SET_UP,
  ...ACT_WALKS,
  ...PART_WALKS,
];
