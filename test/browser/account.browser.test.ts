import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, onComplaint, openPage, startBrowser } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { lookAt } from '../support/look_at.ts';
import { AccountPerson } from './account_person.ts';
import { loseAndReplaceThePhone } from './account_walk.ts';

const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;
describeInBrowser('the account page', () => {
  let browser: Browser;
  let app: TestApp;
  let page: Page;
  let person: AccountPerson;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    app = await startApp({
      users: [
        { name: 'bob', password: PASSWORD },
        { name: 'mallory', password: 'other' },
      ],
    });
    complaints = [];
    page = await open();
  });
  afterEach(async () => {
    await page.context().close();
    await app.stop();
    expect(complaints).toEqual([]);
  });

  async function open(options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
    const opened = await openPage(browser, options);
    onComplaint(opened, (complaint) => complaints.push(complaint));
    await opened.goto(`${app.url}/_2fa/account`);
    person = new AccountPerson(opened, app.clock, 'bob', PASSWORD);
    return opened;
  }

  function nextCode(bob: Enrolled): string {
    app.clock.advance(STEP_MS);
    return app.code(bob);
  }

  test('a person turns 2FA on, loses the phone, gets back in with a recovery code and replaces it', async () => {
    await loseAndReplaceThePhone(person, (name) => lookAt(page, `account-${name}`));
    expect(app.stub.devicesOf('bob')).toHaveLength(1);
  });

  describe('with 2FA on', () => {
    let bob: Enrolled;
    beforeEach(async () => {
      bob = await app.enrol('bob', 4);
    });

    test('a wrong password and a wrong code are said where they were typed', async () => {
      await page.getByLabel('Username').fill('bob');
      await page.getByLabel('Password').fill('wrong');
      await person.press('Continue');
      await page.getByText('Incorrect username or password.').waitFor();
      expect(await page.getByLabel('Password').getAttribute('aria-invalid')).toBe('true');
      expect(await page.getByLabel('Username').inputValue()).toBe('bob');
      await page.getByLabel('Password').fill(PASSWORD);
      await person.press('Continue');
      await person.giveCode(app.wrongCode(bob));
      await page.getByText('That code is incorrect or was already used.').waitFor();
      await lookAt(page, 'account-12-wrong-code');
      await person.giveCode(nextCode(bob));
      await person.heading('Signed-in devices').waitFor();
    });

    test('a pasted code with blanks signs in', async () => {
      const code = nextCode(bob);
      await person.signIn(`${code.slice(0, 3)} ${code.slice(3)} `);
    });

    test('attack 89: every change asks for password and code, in either order of mistakes', async () => {
      await person.signIn(nextCode(bob));
      await person.press('Create new recovery codes');
      const dialogCode = person.dialog().getByLabel('Authentication code');
      expect(await person.dialog().locator('.notice').isVisible()).toBe(false);
      await person.dialog().getByRole('button', { name: 'Continue' }).click();
      await person.expectFailed(dialogCode, '', /Enter a code/);
      const wrong = app.wrongCode(bob);
      await person.prove(wrong, 'Continue');
      await person.expectFailed(dialogCode, wrong, /code is incorrect/);
      await dialogCode.fill(nextCode(bob));
      await person.dialog().getByLabel('Password').fill('wrong');
      await person.dialog().getByRole('button', { name: 'Continue' }).click();
      await person.expectFailed(person.dialog().getByLabel('Password'), 'wrong', /Incorrect password/);
      expect(await dialogCode.getAttribute('readonly')).toBe('');
      await lookAt(page, 'account-13-proof');
      await person.prove(undefined, 'Continue');
      await person.heading('Save your recovery codes').waitFor();
      expect(await person.shownCodes()).toHaveLength(10);
      await page.getByText('New recovery codes created.').waitFor();
    });

    test('authenticators are added, renamed and removed', async () => {
      await person.signIn(nextCode(bob));
      await person.press('Rename “phone”');
      await person.dialog().getByLabel('Name this device').fill('<b>old</b> phone');
      await lookAt(page, 'account-14-rename');
      await person.press('Rename');
      await page.getByText('<b>old</b> phone', { exact: true }).waitFor();

      await person.press('Add an authenticator');
      await person.prove(undefined, 'Continue');
      const secret = await person.secretOnPage();
      await person.press('Continue');
      const confirming = person.phoneCode(secret);
      await page.getByText('Your saved recovery codes stay valid.').waitFor();
      expect(await page.getByLabel('Also create new recovery codes').isChecked()).toBe(false);
      await person.verify('000000', 'Tablet');
      await person.expectFailed(
        page.getByLabel('Authentication code', { exact: true }),
        '000000',
        /phone's clock/,
      );
      await lookAt(page, 'account-25-verify');
      await person.verify(confirming, 'Tablet');
      await page.getByText('Authenticator added.').waitFor();
      await page.getByText('4 of 4 left').waitFor();
      await page.getByText('Authenticator “Tablet” added').waitFor();
      expect(await page.getByText('renamed to “Tablet”').count()).toBe(0);

      await page.getByLabel('More actions for Tablet').click();
      await person.press('Remove “Tablet”');
      await person.prove(person.phoneCode(secret), 'Remove');
      await page.getByText('Authenticator removed.').waitFor();
      expect(await page.getByText('Tablet', { exact: true }).count()).toBe(0);
    });

    test('recovery codes: used ones with their date, few, none', async () => {
      await person.givePassword();
      await person.useRecoveryCode(bob.recoveryCodes[2] ?? '');
      await page.getByText('You signed in with a recovery code; 3 are left.').waitFor();
      await page.getByText('Only a few codes are left.').waitFor();
      await page.getByText('1 code was used').click();
      await page.getByText(/^Code 3: used/).waitFor();
      await person.press('Delete codes');
      await person.prove(nextCode(bob), 'Delete codes');
      await page.getByRole('heading', { name: 'you have no way back' }).waitFor();
      expect(await page.getByText('You signed in with a recovery code').count()).toBe(0);
      await lookAt(page, 'account-15-no-codes');
    });

    test('the last recovery code says what to do now', async () => {
      await page.context().close();
      await app.stop();
      app = await startApp({ users: [{ name: 'bob', password: PASSWORD }] });
      bob = await app.enrol('bob', 1);
      page = await open();
      await person.givePassword();
      await person.useRecoveryCode(bob.recoveryCodes[0] ?? '');
      await page.getByText('That was your last recovery code.').waitFor();
    });

    test('other sessions are ended', async () => {
      app.stub.signIn('bob');
      app.stub.signIn('bob');
      await person.signIn(nextCode(bob));
      await person.press('Sign out all other devices');
      await person.dialog().getByText('2 devices are signed out at once.').waitFor();
      await person.prove(undefined, 'Sign out');
      await page.getByText('2 devices signed out.').waitFor();
      await page.getByText('No other device is signed in.').waitFor();
      expect(app.stub.devicesOf('bob')).toHaveLength(1);
    });

    test('2FA is turned off', async () => {
      await person.signIn(nextCode(bob));
      await person.press('Turn off');
      await lookAt(page, 'account-16-turn-off');
      await person.prove(nextCode(bob), 'Turn off');
      await page.getByRole('button', { name: 'Turn on two-factor authentication' }).waitFor();
      expect(await app.storage.factors.isEnrolled(bob.userId)).toBe(false);
      await page.getByText('Two-factor authentication turned off').waitFor();
    });

    test('everything goes by keyboard alone', async () => {
      const focused = page.locator(':focus');
      await page.getByLabel('Username').and(focused).waitFor();
      await page.keyboard.type('bob');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByLabel('Authentication code').and(focused).waitFor();
      await page.keyboard.type(nextCode(bob));
      await page.keyboard.press('Enter');
      await person.heading('Signed-in devices').waitFor();
      const opening = page.getByRole('button', { name: 'Create new recovery codes' });
      const asked = person.dialog().getByLabel('Authentication code').and(focused);
      await opening.focus();
      await page.keyboard.press('Enter');
      await asked.waitFor();
      await page.keyboard.type(nextCode(bob));
      await page.keyboard.press('Escape');
      await person.dialog().waitFor({ state: 'detached' });
      await opening.and(focused).waitFor();
      await page.keyboard.press('Enter');
      await asked.waitFor();
      await page.keyboard.type(app.code(bob));
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await person.heading('Save your recovery codes').waitFor();
    });

    test('the session ends after fifteen idle minutes', async () => {
      await page.clock.install({ time: '2026-01-01T08:00:00Z' });
      await page.reload();
      await person.signIn(nextCode(bob));
      // From here on no time goes by but what is run.
      await page.clock.pauseAt('2026-01-01T08:10:00Z');
      await page.mouse.move(20, 20);
      await page.clock.runFor('14:50');
      expect(await person.heading('Signed-in devices').isVisible()).toBe(true);
      await page.mouse.move(5, 5);
      await page.mouse.move(50, 50);
      await page.clock.runFor('14:50');
      expect(await person.heading('Signed-in devices').isVisible()).toBe(true);
      await page.clock.runFor('00:20');
      await page.getByText('You were signed out after 15 minutes without activity.').waitFor();
      await app.proxy.keepHouse();
      expect(app.stub.devicesOf('bob')).toEqual([]);
    });

    test('attack 218: a reload keeps the session, and neither token nor key can be read afterwards', async () => {
      await person.signIn(nextCode(bob));
      const tokens = app.stub.liveTokens('bob');
      expect(tokens).toHaveLength(1);
      const answered = page.waitForResponse(/account\/session$/);
      await page.reload();
      const { page_key: key } = (await (await answered).json()) as { page_key: string };
      await person.heading('Signed-in devices').waitFor();
      const kept = await page.evaluate(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state])',
      );
      const readable = `${kept}${await page.content()}`;
      for (const secret of [...tokens, key]) expect(readable).not.toContain(secret);
      const [cookie] = (await page.context().cookies(`${app.url}/_2fa/account`)).filter(({ name }) =>
        name.endsWith('m2fa_page'),
      );
      expect(cookie).toMatchObject({
        ...{ name: '__Secure-m2fa_page', path: '/_2fa/account', expires: -1 },
        ...{ httpOnly: true, secure: true, sameSite: 'Strict' },
      });
    });

    test('the password is asked for once, for several acts on sessions', async () => {
      app.stub.signIn('bob', 'ONE');
      app.stub.signIn('bob', 'TWO');
      await person.signIn(nextCode(bob));
      await page
        .getByRole('button', { name: /^Sign out “/ })
        .first()
        .click();
      await person.prove(undefined, 'Sign out');
      await page.getByText('1 device signed out.').waitFor();
      await page
        .getByRole('button', { name: /^Sign out “/ })
        .first()
        .click();
      expect(await person.dialog().getByLabel('Password').isVisible()).toBe(false);
      await person.dialog().getByRole('button', { name: 'Sign out', exact: true }).click();
      await page.getByText('No other device is signed in.').waitFor();
    });

    test('a session that was ended elsewhere leads back to the sign-in', async () => {
      await person.signIn(nextCode(bob));
      // The parts of the page that come late would end the session, too.
      await page.waitForLoadState('networkidle');
      for (const token of app.stub.liveTokens('bob')) app.stub.expire(token);
      await person.press('Rename “phone”');
      await page.getByLabel('Name this device').fill('x');
      await person.press('Rename');
      await page.getByText('You are signed out.').waitFor();
    });

    test('a homeserver that is gone is said so', async () => {
      await app.stub.setDown('refuse');
      await person.givePassword();
      await page.getByText('does not answer at the moment').waitFor();
      complaints = complaints.filter((text) => !text.includes('status of 50'));
    });
  });

  test('in German it is all there', async () => {
    const bob = await app.enrol('bob', 4);
    await page.context().close();
    page = await open({ locale: 'de-AT' });
    await page.getByLabel('Benutzername').fill('bob');
    await page.getByLabel('Passwort').fill(PASSWORD);
    await person.press('Weiter');
    await page.getByLabel('Authentifizierungscode').fill(nextCode(bob));
    await person.press('Bestätigen');
    await person.heading('Angemeldete Geräte').waitFor();
    await lookAt(page, 'account-17-german');
  });

  test('in German nothing is cut off on the way to 2FA either', async () => {
    await page.context().close();
    page = await open({ locale: 'de-DE' });
    await page.getByLabel('Benutzername').fill('bob');
    await page.getByLabel('Passwort').fill(PASSWORD);
    await person.press('Weiter');
    await person.press('Zwei-Faktor-Authentifizierung einschalten');
    await person.dialog().getByLabel('Passwort').fill(PASSWORD);
    await lookAt(page, 'account-19-german-proof');
    await person.dialog().getByRole('button', { name: 'Weiter' }).click();
    const link = page.getByRole('link', { name: 'Authenticator-App öffnen' });
    const secret = new URL((await link.getAttribute('href')) ?? '').searchParams.get('secret') ?? '';
    await lookAt(page, 'account-20-german-scan');
    await person.press('Weiter');
    await page.getByLabel('Authentifizierungscode').fill(person.phoneCode(secret));
    await person.press('Bestätigen');
    await person.heading('Speichere deine Wiederherstellungscodes').waitFor();
    await lookAt(page, 'account-21-german-codes');
    await page.getByLabel('Ich habe diese Codes gespeichert').check();
    await person.press('Fertig');
    await page.getByText('Zwei-Faktor-Authentifizierung ist eingeschaltet.', { exact: true }).waitFor();
  });

  test('who comes by another way finds it', async () => {
    await page.context().close();
    await app.stop();
    const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'carol' };
    app = await startApp({ users: [{ name: 'carol', password: null }], sso });
    page = await open();
    await page.getByRole('link', { name: 'Continue with University' }).waitFor();
    await lookAt(page, 'account-22-other-way');
  });

  test('the codes are printed without the rest', async () => {
    await person.givePassword();
    await person.press('Turn on two-factor authentication');
    await person.prove(undefined, 'Continue');
    const secret = await person.secretOnPage();
    await person.press('Continue');
    await person.verify(person.phoneCode(secret));
    await person.heading('Save your recovery codes').waitFor();
    await page.emulateMedia({ media: 'print' });
    await page.screenshot({ path: 'artefacts/account-18-print.png', fullPage: true });
    await page.getByText('Recovery codes for @bob:localhost').waitFor();
    expect(await page.getByRole('button', { name: 'Done' }).isVisible()).toBe(false);
    expect(await person.shownCodes()).toHaveLength(10);
  });

  test('at twice the size nothing is cut off', async () => {
    // A window of 1280 × 960, zoomed to 200 %.
    const bob = await app.enrol('bob', 4);
    await page.setViewportSize({ width: 640, height: 480 });
    await person.signIn(nextCode(bob));
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  });
});
