import type { PageState, PageVisit } from './page_visit.ts';

const MINUTE = 60_000;

async function upToCode(visit: PageVisit, name: string): Promise<void> {
  await visit.openSignIn();
  await visit.givePassword(name);
}

/** What stands in the way of a sign-in. */
export const ERROR_STATES: readonly PageState[] = [
  {
    name: 'error-unknown',
    says: 'A page of another browser',
    reach: (visit) => visit.open(`/_2fa/login?v=${'A'.repeat(22)}`),
  },
  {
    name: 'error-used',
    says: 'Back, after a sign-in',
    reach: async (visit) => {
      await upToCode(visit, 'bob');
      await visit.giveCode(visit.freshCode('bob'));
      const consent = visit.page.url();
      await visit.pressToNext('confirm.allow');
      await visit.page.goto(consent);
    },
  },
  {
    name: 'error-changed',
    says: 'The account was changed during the sign-in',
    reach: async (visit) => {
      await upToCode(visit, 'heidi');
      await visit.turnOff('heidi');
      await visit.page.reload();
    },
  },
  {
    name: 'error-unreadable',
    says: 'A form that cannot be read',
    reach: async (visit) => {
      await visit.openSignIn();
      await visit.page.evaluate(`document.forms[0].enctype = 'text/plain'`);
      await visit.givePassword('alice');
    },
  },
  {
    name: 'error-down',
    says: 'The homeserver is away, and no form is there to keep',
    reach: async (visit) => {
      visit.failNext('/login/sso/redirect', 503);
      await visit.open(
        '/_matrix/client/v3/login/sso/redirect/oidc?redirectUrl=https%3A%2F%2Fapp.example.org',
      );
    },
  },
  {
    name: 'sign-in-limited-by-server',
    says: 'The homeserver limits sign-ins',
    reach: async (visit) => {
      await visit.openSignIn();
      visit.failNext('/login', 429);
      await visit.givePassword('alice');
    },
  },
  {
    name: 'sign-in-away',
    says: 'The homeserver is away',
    reach: async (visit) => {
      await visit.openSignIn();
      visit.failNext('/login', 503);
      await visit.givePassword('alice');
    },
  },
  {
    name: 'account-left',
    says: 'The account page after its user has signed out',
    reach: (visit) => visit.open('/_2fa/account?signed_out'),
  },
  {
    name: 'account-idle',
    says: 'The same after some time without activity',
    reach: (visit) => visit.open('/_2fa/account?signed_out=idle'),
  },
];

/** The clock goes on: sessions of the states before have ended then. */
export const LATE_STATES: readonly PageState[] = [
  {
    name: 'error-expired',
    says: 'A sign-in that was open too long',
    reach: async (visit) => {
      await upToCode(visit, 'bob');
      visit.wait(30 * MINUTE);
      await visit.page.reload();
    },
  },
];
