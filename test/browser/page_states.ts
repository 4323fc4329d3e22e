import type { PageVisit } from './page_visit.ts';

/** A state of a page that people see. */
export interface PageState {
  /** Of its pictures. */
  readonly name: string;
  readonly says: string;
  /** It is also looked at enlarged and in forced colours. */
  readonly isMain?: boolean;
  readonly reach: (visit: PageVisit) => Promise<void>;
}

async function upToCode(visit: PageVisit, name: string): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword(name);
}

async function accountOf(visit: PageVisit, name: string): Promise<void> {
  await visit.open('/_2fa/account');
  await visit.givePassword(name);
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
    reach: async (visit) => {
      await accountOf(visit, 'bob');
      await visit.giveCode(visit.freshCode('bob'));
    },
  },
];
