import type { PageWalk } from './page_visit.ts';

const MINUTE = 60_000;

/** What stands in the way of a sign-in. */
export const ERROR_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'sign-in-no-client',
      says: 'The sign-in page that no client led to',
      reach: (visit) => visit.open('/_2fa/login'),
    },
    {
      name: 'error-unknown',
      says: 'A page of another browser',
      reach: (visit) => visit.open(`/_2fa/login?v=${'A'.repeat(22)}`),
    },
    { name: 'not-found', says: 'A page that is not there', reach: (visit) => visit.open('/_2fa/not-found') },
    {
      name: 'help',
      says: 'Help before the sign-in',
      isMain: true,
      reach: (visit) => visit.open('/_2fa/help'),
    },
    {
      name: 'help-branded',
      says: 'The same with a contact and a privacy policy, where no codes stand behind passwords',
      isMain: true,
      reach: (visit) => visit.openOn(visit.scene.branded, '/_2fa/help'),
    },
  ],
  [
    {
      name: 'error-changed',
      says: 'The account was changed during the sign-in',
      reach: async (visit) => {
        await visit.openSignIn();
        await visit.givePassword('heidi');
        await visit.turnOff('heidi');
        await visit.page.reload();
      },
    },
  ],
  [
    {
      name: 'error-unreadable',
      says: 'A form that cannot be read',
      isOnce: true,
      reach: async (visit) => {
        await visit.openSignIn();
        await visit.page.evaluate(`document.forms[0].enctype = 'text/plain'`);
        await visit.givePassword('alice');
      },
    },
    {
      name: 'sign-in-foreign-form',
      says: 'A form whose browser keeps no cookies',
      isOnce: true,
      reach: async (visit) => {
        await visit.openSignIn();
        await visit.forgetForms();
        await visit.givePassword('alice');
      },
    },
    {
      name: 'error-down',
      says: 'The homeserver is away, and no form is there to keep',
      isOnce: true,
      reach: async (visit) => {
        visit.failNext('/login/sso/redirect', 503);
        await visit.open(
          '/_matrix/client/v3/login/sso/redirect/oidc?redirectUrl=https%3A%2F%2Fapp.example.org',
        );
      },
    },
  ],
];

/** The clock goes on: sessions of the states before have ended then. */
export const LATE_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'error-expired',
      says: 'A sign-in that was open too long',
      reach: async (visit) => {
        await visit.openSignIn();
        await visit.givePassword('bob');
        visit.wait(30 * MINUTE);
        await visit.page.reload();
      },
    },
  ],
];
