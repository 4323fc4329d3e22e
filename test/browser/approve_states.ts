import { TWO_FACTOR } from '../support/passkey_user.ts';
import { PASSWORD, type PageVisit, type PageWalk } from './page_visit.ts';

const CONTACTS = '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts';

async function upToPassword(visit: PageVisit, name = 'bob'): Promise<void> {
  await visit.openFallback(name);
  await visit.giveCode(visit.freshCode(name));
}

/** The fallback pages, on which what an app does is approved. */
export const APPROVE_WALKS: readonly PageWalk[] = [
  [
    {
      name: 'approve-code',
      says: 'The fallback page: a client removes a device',
      isMain: true,
      reach: (visit) => visit.openFallback('bob'),
    },
    {
      name: 'approve-code-missing',
      says: 'The same when nothing was typed',
      reach: (visit) => visit.giveCode(''),
    },
    {
      name: 'approve-wrong-code',
      says: 'The same after a wrong code',
      reach: (visit) => visit.giveCode(visit.wrongCode('bob')),
    },
    {
      name: 'approve-wrong-recovery',
      says: 'The same after a wrong recovery code',
      reach: (visit) => visit.giveRecoveryCode('0000-0000-0000'),
    },
    {
      name: 'approve-password',
      says: 'The password is asked for',
      isMain: true,
      reach: (visit) => visit.giveCode(visit.freshCode('bob')),
    },
    {
      name: 'approve-password-missing',
      says: 'The same when nothing was typed',
      reach: (visit) => visit.giveCurrentPassword(''),
    },
    {
      name: 'approve-wrong-password',
      says: 'The same after a wrong password',
      reach: (visit) => visit.giveCurrentPassword('wrong'),
    },
    {
      name: 'approve-limited-by-server',
      says: 'The homeserver limits it',
      reach: async (visit) => {
        visit.failNext('/delete_devices', 429);
        await visit.giveCurrentPassword(PASSWORD);
      },
    },
    {
      name: 'approve-away',
      says: 'The homeserver is away',
      reach: async (visit) => {
        visit.failNext('/delete_devices', 503);
        await visit.giveCurrentPassword(PASSWORD);
      },
    },
    {
      name: 'approve-done',
      says: 'All is proven, and the client did not close it',
      reach: (visit) => visit.giveCurrentPassword(PASSWORD),
    },
  ],
  [
    {
      name: 'approve-done-recovery',
      says: 'The same after a recovery code: what is left is told, and the page stays',
      reach: async (visit) => {
        await visit.openFallback('carol');
        await visit.giveRecoveryCode(visit.recoveryCode('carol'));
        await visit.giveCurrentPassword(PASSWORD);
      },
    },
  ],
  [
    {
      name: 'approve-own',
      says: 'The same for a change of who counts in a recovery',
      reach: (visit) =>
        visit.openOwnFallback('bob', { method: 'PUT', target: CONTACTS, json: { time_zone: 'UTC' } }),
    },
    {
      name: 'approve-own-password',
      says: 'A set-up that an app begins: the password is asked for before it is known whose it is',
      reach: (visit) => visit.openOwnFallback('alice', { target: `${TWO_FACTOR}/totp` }),
    },
  ],
  [
    {
      name: 'approve-passkey',
      says: 'The fallback page of a user with a passkey',
      isMain: true,
      reach: (visit) => visit.openFallback('frank'),
    },
    {
      name: 'approve-passkey-refused',
      says: 'The same after a passkey that was not accepted',
      reach: (visit) => visit.sendWrongPasskey(),
    },
  ],
  [
    {
      name: 'approve-too-many-passwords',
      says: 'The same after the last wrong password',
      reach: async (visit) => {
        await upToPassword(visit, 'nina');
        for (let time = 0; time < 5; time++) await visit.giveCurrentPassword('wrong');
      },
    },
  ],
  [
    {
      name: 'approve-too-many-codes',
      says: 'The fallback page after the last wrong code that it takes',
      reach: async (visit) => {
        await visit.openFallback('nina');
        for (let time = 0; time < 5; time++) await visit.giveCode(visit.wrongCode('nina'));
      },
    },
    {
      name: 'approve-code-wait',
      says: 'The next one after that: no code is looked at for a while',
      reach: async (visit) => {
        await visit.openFallbackAgain();
        await visit.giveCode(visit.wrongCode('nina'));
      },
    },
  ],
  [
    {
      name: 'approve-closed',
      says: 'The fallback page where the homeserver says that the account is locked',
      reach: async (visit) => {
        await upToPassword(visit);
        visit.failNext('/delete_devices', 401, 'M_USER_LOCKED');
        await visit.giveCurrentPassword(PASSWORD);
      },
    },
  ],
  [
    {
      name: 'approve-oauth',
      says: 'The fallback page where the homeserver checks no password for the app',
      reach: async (visit) => {
        await upToPassword(visit);
        visit.failNext('/delete_devices', 403, 'M_FORBIDDEN');
        await visit.giveCurrentPassword(PASSWORD);
      },
    },
  ],
  [
    {
      name: 'approve-homeserver',
      says: 'An account without a password: the homeserver’s single sign-on says who it is',
      reach: async (visit) => {
        await visit.openFallback('pia');
        await visit.giveCode(visit.freshCode('pia'));
      },
    },
    {
      name: 'approve-no-password',
      says: 'The same where the homeserver then asks for nothing but a password',
      reach: async (visit) => {
        const flows = [{ stages: ['m.login.password'] }];
        const body = { session: 'theirs', flows, params: {}, errcode: 'M_FORBIDDEN', error: 'no' };
        // The probe is about a device that does not exist.
        const undo = visit.scene.app.stub.override('/delete_devices', ({ bytes }, next) =>
          bytes.includes('ELSEWHERE') ? { status: 401, body } : next(),
        );
        await visit.pressToNext('approve.providerGo');
        undo();
      },
    },
  ],
  [
    {
      name: 'approve-provider',
      says: 'The same for what the homeserver does not guard: its providers',
      isOnce: true,
      reach: async (visit) => {
        await visit.openOwnFallback('pia');
        await visit.giveCode(visit.freshCode('pia'));
      },
    },
    {
      name: 'error-other-account',
      says: 'The provider says that it is someone else',
      isOnce: true,
      reach: (visit) => visit.followToProvider(),
    },
  ],
  [
    {
      name: 'approve-ended',
      says: 'A fallback page whose session is not there',
      reach: (visit) => visit.open('/_matrix/client/v3/auth/m.login.2fa.totp/fallback/web?session=none'),
    },
  ],
  [
    {
      name: 'approve-set-up',
      says: 'The set-up that a sign-in of a client waits for',
      reach: (visit) => visit.openSetUpFallback('otto'),
    },
    {
      name: 'approve-set-up-scan',
      says: 'The key for an app',
      reach: (visit) => visit.pressToNext('setup.now'),
    },
    {
      name: 'approve-set-up-wrong',
      says: 'The same after a wrong code',
      reach: (visit) => visit.giveCode('000000'),
    },
    {
      name: 'approve-set-up-codes',
      says: 'Recovery codes at the end',
      reach: async (visit) => visit.giveCode(await visit.codeOfShownKey()),
    },
    {
      name: 'approve-set-up-untick',
      says: 'The same where they are not said to be saved',
      reach: (visit) => visit.sendUnfilled('saved'),
    },
  ],
];
