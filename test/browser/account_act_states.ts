import { PASSWORD, type PageState, type PageVisit, type PageWalk } from './page_visit.ts';

const MINUTE = 60_000;
const STATE = '/v3/account/two-factor';
const CODES = '/v3/account/two-factor/recovery';
const CONFIRM = '/totp/confirm';
/** When all happened that only scripts have drawn. */
export const DRAWN_AT = Date.UTC(2026, 9, 17, 15, 46);
const FEW = { remaining: 2, total: 4, generated_at: DRAWN_AT - 30 * 24 * 60 * MINUTE };

/** Each language has users of its own: what is wrong, or changed, in one pass is not so in the other. */
const owner = (visit: PageVisit) => visit.onceForEach(['bob', 'dora']);
const adder = (visit: PageVisit) => visit.onceForEach(['ida', 'ilse']);
const changer = (visit: PageVisit) => visit.onceForEach(['paul', 'pola']);

/** A state that only scripts have drawn. */
export function drawn(name: string, says: string, reach: PageState['reach']): PageState {
  return { name, says, isOnce: true, reach };
}

/** Gives a dialog all that it asks for, where the server answers something else. */
async function proveInVain(visit: PageVisit, body: object, status: number): Promise<void> {
  await visit.answers.give(CODES, body, status);
  await visit.openDialog('codes.create');
  await visit.prove(visit.freshCode(owner(visit)));
  await visit.dialog().locator('.notice:not([hidden])').waitFor();
  await visit.answers.end(CODES);
}

/** Names an authenticator or a device password, and waits until that is told. */
async function giveName(visit: PageVisit, name: string): Promise<void> {
  await visit.dialog().locator('input[name="name"]').fill(name);
  await visit.page.keyboard.press('Enter');
  await visit.dialog().waitFor({ state: 'detached' });
}

const DIALOGS: PageWalk = [
  {
    name: 'account-on',
    says: 'The account page of a user with 2FA',
    isMain: true,
    reach: (visit) => visit.openAccountOn(owner(visit)),
  },
  drawn('account-proof', 'New recovery codes ask for password and code', (visit) =>
    visit.openDialog('codes.create'),
  ),
  drawn('account-proof-recovery', 'The same with a recovery code', (visit) =>
    visit.press('code.useRecovery'),
  ),
  drawn('account-proof-missing', 'The same when nothing was typed', async (visit) => {
    await visit.openDialog('codes.create');
    await visit.page.keyboard.press('Enter');
    await visit.page.locator('dialog [aria-invalid="true"]').waitFor();
  }),
  drawn('account-proof-wrong-code', 'The same after a wrong code', (visit) =>
    visit.fillWrongly(visit.wrongCode(owner(visit)), PASSWORD, 'code.wrong'),
  ),
  drawn(
    'account-proof-wrong-password',
    'The same after a wrong password: the code was accepted',
    async (visit) => {
      await visit.openDialog('codes.create');
      await visit.fillWrongly(visit.freshCode(owner(visit)), 'wrong', 'approve.wrongPassword');
    },
  ),
  drawn('account-proof-limited', 'The same after too many attempts', (visit) =>
    proveInVain(visit, { errcode: 'M_LIMIT_EXCEEDED', error: 'later', retry_after_ms: 120_000 }, 429),
  ),
  drawn('account-proof-away', 'The same where the server does not answer', (visit) =>
    proveInVain(visit, { errcode: 'M_UNKNOWN', error: 'away' }, 502),
  ),
  drawn('account-proof-refused', 'The same where the server says no', (visit) =>
    proveInVain(visit, { errcode: 'M_INVALID_PARAM', error: 'This cannot be done.' }, 400),
  ),
  drawn('account-proof-again', 'The same where all has to be given once more', async (visit) => {
    let sessions = 0;
    await visit.answers.giveBy(CODES, () => {
      sessions += 1;
      const flows = [{ stages: ['m.login.2fa.totp', 'm.login.password'] }];
      return { status: 401, body: { session: `s${sessions}`, flows, params: {}, completed: [] } };
    });
    await visit.openDialog('codes.create');
    await visit.prove(visit.freshCode(owner(visit)));
    await visit.waitForText('proof.again');
    await visit.answers.end(CODES);
  }),
  drawn('account-password', 'The password is changed', (visit) => visit.openDialog('end.password')),
  drawn('account-deactivate', 'The account is ended', (visit) => visit.openDialog('end.deactivate')),
  drawn('account-rename', 'An authenticator is renamed', (visit) =>
    visit.openDialog('auth.renameOf', { name: 'phone' }),
  ),
  drawn('account-replace', 'An authenticator is replaced', (visit) =>
    visit.openDialog('auth.replaceOf', { name: 'phone' }),
  ),
  drawn('account-add', 'A further authenticator is added', (visit) => visit.openDialog('auth.add')),
  drawn('account-remove', 'The last authenticator is removed', async (visit) => {
    await visit.closeDialog();
    await visit.page.locator('.menu summary').first().click();
    await visit.openDialog('auth.removeOf', { name: 'phone' });
  }),
  drawn('account-delete-codes', 'Recovery codes are deleted', (visit) => visit.openDialog('codes.delete')),
  drawn('account-turn-off', '2FA is turned off', (visit) => visit.openDialog('off.button')),
  drawn('account-sign-out-device', 'A device is signed out', (visit) =>
    visit.openDialog('sessions.signOutOf', { name: 'Pixel 9' }),
  ),
  drawn('account-sign-out-others', 'All other devices are signed out', (visit) =>
    visit.openDialog('sessions.signOutOthers'),
  ),
  drawn('account-device-password-add', 'A device password is made', (visit) =>
    visit.openDialog('devicePasswords.add'),
  ),
  drawn('account-zone', 'The time zone for a recovery', (visit) => visit.openDialog('contacts.zoneChange')),
  drawn('account-mail', 'The contact address for a recovery', (visit) =>
    visit.openDialog('contacts.mailChange'),
  ),
  drawn('account-absence', 'An absence is entered', (visit) => visit.openDialog('contacts.awayAdd')),
  drawn('account-voter', 'A person who may vote is named', (visit) => visit.openDialog('contacts.voterAdd')),
  drawn('account-add-late', 'A further authenticator when the last factor counts no more', async (visit) => {
    visit.wait(10 * MINUTE);
    await visit.page.reload();
    await visit.openDialog('auth.add');
    // By the next walk this session was idle for too long.
    visit.scene.signedIn.delete(owner(visit));
  }),
];

/** A user with 2FA adds what they can, and turns it off. */
const ADDING: PageWalk = [
  drawn('account-new-passkey', 'A passkey is added', async (visit) => {
    await visit.openAccountOn(adder(visit));
    await visit.openDialog('auth.add');
    await visit.dialog().locator('input[name="kind"]').nth(1).check();
    await visit.fillDialog(adder(visit));
    await visit.waitForText('setup.passkeyText');
  }),
  drawn('account-new-passkey-failed', 'The browser could not make it', async (visit) => {
    await visit.press('setup.next');
    await visit.waitForText('setup.passkeyFailed');
  }),
  drawn(
    'account-verify-kept',
    'The first code of a further authenticator: recovery codes stay',
    async (visit) => {
      await visit.press('shell.cancel');
      await beginApp(visit);
    },
  ),
  drawn('account-set-up-expired', 'The set-up was open too long', async (visit) => {
    await visit.answers.give(CONFIRM, { errcode: 'M_NOT_FOUND', error: 'gone' }, 404);
    await visit.verify('123456', 'setup.expired');
    await visit.answers.end(CONFIRM);
  }),
  {
    ...drawn('account-added', 'An authenticator was added', async (visit) => {
      await beginApp(visit);
      await visit.verify(await visit.codeOfKeyBefore(), 'setup.doneAdded');
    }),
    isMain: true,
  },
  drawn('account-remove-one', 'One of several authenticators is removed', async (visit) => {
    await visit.page.locator('.menu summary').nth(1).click();
    await visit.openDialog('auth.removeOf', { name: visit.words('setup.defaultName') });
  }),
  drawn('account-removed', 'It was removed', async (visit) => {
    await visit.fillDialog(adder(visit));
    await visit.waitForText('auth.removed');
  }),
  drawn('account-device-password', 'A new device password', async (visit) => {
    await visit.openDialog('devicePasswords.add');
    await visit.fillDialog(adder(visit));
    await visit.page.locator('code.secret').waitFor();
  }),
  drawn('account-device-passwords', 'It stands in the list', async (visit) => {
    await visit.press('save.finish');
    // The list is asked for first.
    await visit.page.locator('code.secret').waitFor({ state: 'detached' });
  }),
  drawn('account-device-password-rename', 'It gets another name', (visit) =>
    visit.openDialog('auth.renameOf', { name: 'App' }),
  ),
  drawn('account-device-password-renamed', 'It has another name', async (visit) => {
    await giveName(visit, 'Backup');
    await visit.waitForText('devicePasswords.renamed');
  }),
  drawn('account-revoke', 'It is revoked', (visit) =>
    visit.openDialog('devicePasswords.revokeOf', { name: 'Backup' }),
  ),
  drawn('account-revoked', 'It was revoked', async (visit) => {
    await visit.page.keyboard.press('Enter');
    await visit.waitForText('devicePasswords.revoked');
  }),
  drawn('account-turned-off', '2FA was turned off', async (visit) => {
    await visit.openDialog('off.button');
    await visit.fillDialog(adder(visit));
    await visit.waitForText('off.done');
  }),
];

/** Up to the first code of a further app. */
async function beginApp(visit: PageVisit): Promise<void> {
  await visit.openDialog('auth.add');
  await visit.fillDialog(adder(visit));
  await visit.press('setup.next');
}

/** What acts leave on the page. */
const CHANGES: PageWalk = [
  drawn('account-device-signed-out', 'A device was signed out', async (visit) => {
    await visit.openAccountOn(changer(visit));
    await visit.openDialog('sessions.signOutOf', { name: 'Pixel 9' });
    await visit.fillDialog(changer(visit));
    await visit.page.locator('.notice.good').waitFor();
  }),
  drawn('account-codes-new', 'New recovery codes of an account that had some', async (visit) => {
    await visit.openDialog('codes.create');
    await visit.fillDialog(changer(visit));
    await visit.waitForText('save.title');
  }),
  drawn(
    'account-codes-few',
    'Only a few recovery codes are left, and the used ones are shown',
    async (visit) => {
      const codes = [1, 2, 3, 4].map((position) => ({ position, used_at: position < 3 ? DRAWN_AT : null }));
      await visit.answers.change(STATE, ({ providers, ...state }) => ({
        ...state,
        providers: { ...Object(providers), 'm.login.2fa.recovery': { ...FEW, codes } },
      }));
      await visit.page.locator('#saved').check();
      await visit.press('save.finish');
      await visit.page.locator('#codes details summary').click();
    },
  ),
  drawn('account-renamed', 'An authenticator was renamed', async (visit) => {
    await visit.answers.end(STATE);
    await visit.openDialog('auth.renameOf', { name: 'phone' });
    await giveName(visit, 'Pixel 10');
    await visit.waitForText('auth.renamed');
  }),
  drawn('account-codes-deleted', 'Recovery codes were deleted', async (visit) => {
    await visit.openDialog('codes.delete');
    await visit.fillDialog(changer(visit));
    await visit.waitForText('codes.deleted');
  }),
  drawn('account-replaced', 'The only authenticator was replaced', async (visit) => {
    await visit.openDialog('auth.replaceOf', { name: 'Pixel 10' });
    await visit.fillDialog(changer(visit));
    await visit.press('setup.next');
    await visit.verify(await visit.codeOfKeyBefore(), 'save.title');
    await visit.page.locator('#saved').check();
    await visit.press('save.finish');
    await visit.waitForText('setup.doneReplaced');
  }),
];

/** What is done on the account page, and what is asked for that. */
export const ACT_WALKS: readonly PageWalk[] = [DIALOGS, ADDING, CHANGES];
