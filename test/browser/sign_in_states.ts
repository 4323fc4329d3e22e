import { BEGIN, credentials } from '../account_recovery/recovering.ts';
import { PASSWORD, type PageVisit, type PageWalk } from './page_visit.ts';

/** For the sign-in page that no client has led to. */
export const SIGN_IN = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';

export async function upToCode(visit: PageVisit, name: string, password = PASSWORD): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword(name, password);
}

async function upToReplacement(visit: PageVisit, name: string): Promise<void> {
  await upToCode(visit, name);
  await visit.giveRecoveryCode(visit.recoveryCode(name));
  await visit.follow('confirm.replace');
}

async function upToConsent(visit: PageVisit, name: string): Promise<void> {
  await upToCode(visit, name);
  await visit.giveCode(visit.freshCode(name));
}

/** Everything on the way, the lost phone included. */
const WHOLE_WAY: PageWalk = [
  {
    name: 'sign-in',
    says: 'The sign-in page, as a client leads to it',
    isMain: true,
    reach: (visit) => visit.openSignIn(),
  },
  {
    name: 'sign-in-missing',
    says: 'The sign-in page after an empty form',
    reach: (visit) => visit.enter(),
  },
  {
    name: 'sign-in-missing-password',
    says: 'The same without a password',
    reach: async (visit) => {
      await visit.typeName('una');
      await visit.enter();
    },
  },
  {
    name: 'sign-in-wrong-password',
    says: 'The same after a wrong password',
    reach: (visit) => visit.givePassword('una', 'wrong'),
  },
  {
    name: 'sign-in-limited-by-server',
    says: 'The homeserver limits sign-ins',
    reach: async (visit) => {
      visit.failNext('/login', 429);
      await visit.givePassword('una');
    },
  },
  {
    name: 'sign-in-away',
    says: 'The homeserver is away',
    reach: async (visit) => {
      visit.failNext('/login', 503);
      await visit.givePassword('una');
    },
  },
  {
    name: 'sign-in-code',
    says: 'The second factor is asked for',
    isMain: true,
    reach: (visit) => visit.givePassword('una'),
  },
  {
    name: 'sign-in-code-missing',
    says: 'It is asked for once more: nothing was typed',
    reach: (visit) => visit.giveCode(''),
  },
  {
    name: 'sign-in-wrong-code',
    says: 'The same after a wrong code',
    reach: (visit) => visit.giveCode(visit.wrongCode('una')),
  },
  {
    name: 'sign-in-wrong-recovery',
    says: 'The same after a wrong recovery code',
    reach: (visit) => visit.giveRecoveryCode('0000-0000-0000'),
  },
  {
    name: 'sign-in-consent-recovery',
    says: 'All is proven by a recovery code: the client is named, and what is left',
    isMain: true,
    reach: (visit) => visit.giveRecoveryCode(visit.recoveryCode('una')),
  },
  {
    name: 'sign-in-replace-only',
    says: 'The only authenticator is to be replaced',
    isMain: true,
    reach: (visit) => visit.follow('confirm.replace'),
  },
  {
    name: 'sign-in-replace-scan',
    says: 'The key of the new one',
    reach: (visit) => visit.pressToNext('setup.next'),
  },
  {
    name: 'sign-in-replace-wrong',
    says: 'The same after a wrong code',
    reach: (visit) => visit.giveCode('000000'),
  },
  {
    name: 'sign-in-replace-codes',
    says: 'It is replaced, and there are new recovery codes',
    isMain: true,
    reach: async (visit) => visit.giveCode(await visit.codeOfShownKey()),
  },
  {
    name: 'sign-in-replace-untick',
    says: 'The same where they are not said to be saved',
    reach: (visit) => visit.sendUnfilled('saved'),
  },
  {
    name: 'sign-in-replaced',
    says: 'The client is named, after a replacement',
    reach: (visit) => visit.sendTicked(),
  },
  {
    name: 'sign-in-cancelled',
    says: 'The client got no access',
    reach: (visit) => visit.pressToNext('confirm.cancel'),
  },
];

const SET_UP: PageWalk = [
  {
    name: 'sign-in-set-up',
    says: 'A second factor has to be set up before the sign-in goes on',
    isMain: true,
    reach: (visit) => upToCode(visit, 'olga'),
  },
  {
    name: 'sign-in-set-up-passkey',
    says: 'A passkey is set up in the sign-in',
    reach: (visit) => visit.pressToNext('setup.passkeyInstead'),
  },
  {
    name: 'sign-in-set-up-scan',
    says: 'The key for an app, and its first code',
    isMain: true,
    reach: async (visit) => {
      await visit.pressToNext('shell.back');
      // Its first button is that of an app.
      await visit.pressToNext('setup.now');
    },
  },
  {
    name: 'sign-in-set-up-missing',
    says: 'The same without a code',
    reach: (visit) => visit.sendUnfilled('code'),
  },
  {
    name: 'sign-in-set-up-wrong',
    says: 'The same after a wrong code',
    reach: (visit) => visit.giveCode('000000'),
  },
  {
    name: 'sign-in-set-up-again',
    says: 'The set-up has ended after too many wrong codes',
    reach: async (visit) => {
      for (let time = 0; time < 4; time++) await visit.giveCode('000000');
    },
  },
  {
    name: 'sign-in-set-up-codes',
    says: 'Recovery codes at the end of the set-up',
    isMain: true,
    reach: async (visit) => {
      await visit.pressToNext('setup.now');
      await visit.giveCode(await visit.codeOfShownKey());
    },
  },
  {
    name: 'sign-in-set-up-untick',
    says: 'The same where they are not said to be saved',
    reach: (visit) => visit.sendUnfilled('saved'),
  },
];

/** One of two authenticators is lost, and then all of them are. */
const REPLACEMENTS: PageWalk = [
  {
    name: 'sign-in-replace',
    says: 'A lost authenticator is to be replaced, one of two',
    isMain: true,
    reach: (visit) => upToReplacement(visit, 'grace'),
  },
  {
    name: 'sign-in-replace-kept',
    says: 'It is replaced, and the recovery codes stay',
    reach: async (visit) => {
      await visit.page.locator('input[name="replaces"]').first().check();
      await visit.pressToNext('setup.next');
      await visit.giveCode(await visit.codeOfShownKey());
    },
  },
  {
    name: 'sign-in-replace-others',
    says: 'All are replaced; the other devices could not be signed out',
    reach: async (visit) => {
      await upToReplacement(visit, 'grace');
      await visit.page.locator('input[name="replaces"][value="all"]').check();
      await visit.page.locator('input[name="end_others"]').check();
      await visit.pressToNext('setup.next');
      visit.failNext('/devices', 500);
      await visit.giveCode(await visit.codeOfShownKey());
    },
  },
  {
    name: 'sign-in-replace-again',
    says: 'A replacement has ended after too many wrong codes',
    reach: async (visit) => {
      await upToReplacement(visit, 'ilse');
      await visit.pressToNext('setup.next');
      for (let time = 0; time < 5; time++) await visit.giveCode('000000');
    },
  },
];

/** What browsers answer about passkeys. */
const PASSKEY_SET_UP: PageWalk = [
  {
    name: 'sign-in-set-up-passkey-failed',
    says: 'A passkey is set up in the sign-in, and the browser cannot make it',
    isOnce: true,
    reach: async (visit) => {
      await upToCode(visit, 'olga');
      await visit.pressToNext('setup.passkeyInstead');
      await visit.press('setup.next');
      await visit.waitForText('setup.passkeyFailed');
    },
  },
  {
    name: 'sign-in-set-up-passkey-refused',
    says: 'The same after an answer that was not accepted',
    isOnce: true,
    reach: (visit) => visit.sendWrongNewPasskey(),
  },
];

export const SIGN_IN_WALKS: readonly PageWalk[] = [
  WHOLE_WAY,
  PASSKEY_SET_UP,
  SET_UP,
  REPLACEMENTS,
  [
    {
      name: 'sign-in-consent',
      says: 'All is proven: the client is named before the browser goes back',
      isMain: true,
      reach: (visit) => upToConsent(visit, 'bob'),
    },
    {
      name: 'error-used',
      says: 'Back, after a sign-in',
      reach: async (visit) => {
        const consent = visit.page.url();
        await visit.pressToNext('confirm.allow');
        await visit.page.goto(consent);
      },
    },
  ],
  [
    {
      name: 'sign-in-consent-off',
      says: 'The same for a user without 2FA, who is offered it',
      isMain: true,
      reach: (visit) => upToCode(visit, 'alice'),
    },
  ],
  [
    {
      name: 'sign-in-password-shown',
      says: 'The password is shown while it is typed',
      isOnce: true,
      reach: async (visit) => {
        await visit.openSignIn();
        await visit.page.locator('#password').fill(PASSWORD);
        await visit.press('shell.showPassword');
      },
    },
  ],
  [
    {
      name: 'sign-in-app',
      says: 'The sign-in page for an app of the device',
      reach: (visit) => visit.open('/_2fa/login?redirectUrl=io.example.app%3A%2F%2Fcallback'),
    },
    {
      name: 'sign-in-consent-app',
      says: 'The app is named by its scheme',
      reach: async (visit) => {
        await visit.givePassword('bob');
        await visit.giveCode(visit.freshCode('bob'));
      },
    },
  ],
  [
    {
      name: 'sign-in-passkey',
      says: 'A passkey is asked for',
      isMain: true,
      reach: (visit) => upToCode(visit, 'frank', 'frank password'),
    },
    {
      name: 'sign-in-passkey-refused',
      says: 'A passkey that was not accepted',
      reach: (visit) => visit.sendWrongPasskey(),
    },
  ],
  [
    {
      name: 'sign-in-passkey-unsupported',
      says: 'A passkey is asked for in a window that knows none',
      reach: async (visit) => {
        await visit.page.addInitScript('delete window.PublicKeyCredential');
        await upToCode(visit, 'frank', 'frank password');
      },
    },
  ],
  [
    {
      name: 'sign-in-too-many-codes',
      says: 'As many codes were wrong as a sign-in may have',
      reach: async (visit) => {
        await upToCode(visit, 'gina');
        for (let time = 0; time < 5; time++) await visit.giveCode(visit.wrongCode('gina'));
      },
    },
    {
      name: 'sign-in-code-wait',
      says: 'The next sign-in after that: no code is looked at for a while',
      reach: async (visit) => {
        await upToCode(visit, 'gina');
        await visit.giveCode(visit.wrongCode('gina'));
      },
    },
  ],
  [
    {
      name: 'sign-in-provider-code',
      says: 'The second factor after single sign-on of the homeserver',
      reach: (visit) => visit.comeFromProvider(),
    },
  ],
  [
    {
      name: 'sign-in-set-up-soon',
      says: 'A second factor has to be set up by a date',
      reach: (visit) => upToCode(visit, 'greta'),
    },
  ],
  [
    {
      name: 'sign-in-alone',
      says: 'The sign-in page that also takes a passkey alone, in the look of the operator',
      isMain: true,
      reach: (visit) => visit.openOn(visit.scene.branded, SIGN_IN),
    },
    {
      name: 'sign-in-alone-refused',
      says: 'The same after a passkey that was not accepted',
      reach: (visit) => visit.sendWrongPasskey(),
    },
    {
      name: 'sign-in-consent-branded',
      says: 'The client is named, in the look of the operator',
      reach: (visit) => visit.givePassword('alice'),
    },
  ],
  [
    {
      name: 'sign-in-alone-unsupported',
      says: 'The same in a window that knows no passkeys',
      reach: async (visit) => {
        await visit.page.addInitScript('delete window.PublicKeyCredential');
        await visit.openOn(visit.scene.branded, SIGN_IN);
      },
    },
  ],
  [
    {
      name: 'sign-in-recovery-runs',
      says: 'Somebody has begun to recover this account',
      reach: async (visit) => {
        await visit.scene.app.post(BEGIN, credentials('kim', PASSWORD));
        await upToCode(visit, 'kim');
      },
    },
    {
      name: 'sign-in-recovery-stopped',
      says: 'The same when it was stopped there',
      reach: (visit) => visit.pressToNext('recover.stop'),
    },
  ],
];
