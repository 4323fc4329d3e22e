import type { PageState, PageVisit } from './page_visit.ts';

/** The shape of a browser's answer, with nothing in it that could be right. */
const WRONG_ASSERTION = {
  ...{ id: 'AAAA', rawId: 'AAAA', type: 'public-key' },
  response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
};

async function upToPasskey(visit: PageVisit): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword('frank', 'frank password');
}

async function upToSetUp(visit: PageVisit, name = 'olga'): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword(name);
}

/** Begins a set-up: its first button is that of an app. */
async function upToScan(visit: PageVisit, name?: string): Promise<void> {
  await upToSetUp(visit, name);
  await visit.pressToNext('setup.now');
}

async function upToReplacement(visit: PageVisit): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword('grace');
  await visit.giveRecoveryCode(visit.recoveryCode('grace'));
  await visit.follow('confirm.replace');
}

/** Parts of a sign-in that only some accounts come to. */
export const SIGN_IN_STATES: readonly PageState[] = [
  {
    name: 'sign-in-too-many-codes',
    says: 'As many codes were wrong as a sign-in may have',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.givePassword('gina');
      for (let time = 0; time < 5; time++) await visit.giveCode(visit.wrongCode('gina'));
    },
  },
  {
    name: 'sign-in-code-wait',
    says: 'The next sign-in after that: no code is looked at for a while',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.givePassword('gina');
      await visit.giveCode(visit.wrongCode('gina'));
    },
  },
  {
    name: 'sign-in-passkey',
    says: 'A passkey is asked for',
    isMain: true,
    reach: upToPasskey,
  },
  {
    name: 'sign-in-passkey-refused',
    says: 'A passkey that was not accepted',
    reach: async (visit) => {
      await upToPasskey(visit);
      await visit.sendCredential(JSON.stringify(WRONG_ASSERTION));
    },
  },
  {
    name: 'sign-in-passkey-unsupported',
    says: 'A passkey is asked for in a window that knows none',
    reach: async (visit) => {
      await visit.page.addInitScript('delete window.PublicKeyCredential');
      await upToPasskey(visit);
    },
  },
  {
    name: 'sign-in-provider-code',
    says: 'The second factor after single sign-on of the homeserver',
    reach: (visit) => visit.comeFromProvider(),
  },
  {
    name: 'sign-in-set-up',
    says: 'A second factor has to be set up before the sign-in goes on',
    isMain: true,
    reach: (visit) => upToSetUp(visit),
  },
  {
    name: 'sign-in-set-up-scan',
    says: 'The key for an app, and its first code',
    isMain: true,
    reach: (visit) => upToScan(visit),
  },
  {
    name: 'sign-in-set-up-wrong',
    says: 'The same after a wrong code',
    reach: async (visit) => {
      await upToScan(visit);
      await visit.giveCode('000000');
    },
  },
  {
    name: 'sign-in-set-up-passkey',
    says: 'A passkey is set up in the sign-in',
    reach: async (visit) => {
      await upToSetUp(visit);
      await visit.pressToNext('setup.passkeyInstead');
    },
  },
  {
    name: 'sign-in-set-up-codes',
    says: 'Recovery codes at the end of the set-up',
    isMain: true,
    reach: async (visit) => {
      await upToScan(visit, visit.onceForEach(['otto', 'oleg']));
      await visit.giveCode(await visit.codeOfShownKey());
    },
  },
  {
    name: 'sign-in-replace',
    says: 'A lost authenticator is to be replaced, one of two',
    isMain: true,
    reach: upToReplacement,
  },
  {
    name: 'sign-in-replace-scan',
    says: 'The key of the new one',
    reach: async (visit) => {
      await upToReplacement(visit);
      await visit.page.locator('input[name="replaces"]').first().check();
      await visit.pressToNext('setup.next');
    },
  },
];
