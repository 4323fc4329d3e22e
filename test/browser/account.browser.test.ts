import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { generateSync } from 'otplib';
import type { Browser, Locator, Page } from 'playwright-core';
import { seriousFindings } from '../support/accessibility.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, photograph, startBrowser } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';

const PASSWORD = 'correct horse battery staple';
const STEP = 30_000;
jest.setTimeout(120_000);

const crypto = new NodeCryptoPlugin();

describeInBrowser('the account page', () => {
  let browser: Browser;
  let app: TestApp;
  let page: Page;
  /** What the browser complains about: a blocked resource, an error in a script. */
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
    opened.on('pageerror', (error) => complaints.push(error.message));
    opened.on('console', (message) => {
      // Refusals are part of the play: the browser writes a line for each 4xx.
      if (message.type() === 'error' && !message.text().includes('status of 4'))
        complaints.push(message.text());
    });
    await opened.goto(`${app.url}/_2fa/account`);
    return opened;
  }

  const press = (name: string | RegExp) => page.getByRole('button', { name, exact: true }).click();
  const heading = (name: string) => page.getByRole('heading', { name });
  const dialog = () => page.getByRole('dialog');

  async function givePassword(): Promise<void> {
    await page.getByLabel('User name').fill('bob');
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Sign in');
  }

  /** Signs in with the code that is shown next. */
  async function signIn(bob: Enrolled): Promise<void> {
    await givePassword();
    await page.getByLabel('Code').fill(nextCode(bob));
    await heading('Sessions').waitFor();
  }

  function nextCode(bob: Enrolled): string {
    app.clock.advance(STEP);
    return app.code(bob);
  }

  /** What a phone shows that was set up with `secret`, after another step. */
  function phoneCode(secret: string): string {
    app.clock.advance(STEP);
    return generateSync({ secret, crypto, epoch: Math.floor(app.clock.now() / 1000) });
  }

  async function prove(code: string | undefined, button: string): Promise<void> {
    if (code !== undefined) await dialog().getByLabel('Code').fill(code);
    await dialog().getByLabel('Password').fill(PASSWORD);
    await dialog().getByRole('button', { name: button, exact: true }).click();
  }

  async function secretOnPage(): Promise<string> {
    const uri =
      (await page.getByRole('link', { name: 'Open an app on this device' }).getAttribute('href')) ?? '';
    return new URL(uri).searchParams.get('secret') ?? '';
  }

  async function shownCodes(): Promise<string[]> {
    return page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
  }

  /** Focus is on a field that says what is wrong, and what was typed is still there. */
  async function expectFailed(field: Locator, typed: string, text: RegExp): Promise<void> {
    await page.getByText(text).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe(await field.getAttribute('id'));
    expect(await field.inputValue()).toBe(typed);
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    const problem = page.locator(`#${described.split(' ').at(-1)}`);
    expect(await problem.textContent()).toMatch(text);
  }

  async function lookAt(name: string): Promise<void> {
    await page.waitForLoadState('networkidle');
    await photograph(page, `account-${name}`);
    expect(await seriousFindings(page)).toEqual([]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect(overflow).toBe(false);
  }

  test('a person turns 2FA on, loses the phone, gets back in with a recovery code and replaces it', async () => {
    // Somebody who has never seen it reads how one gets back in before anything is turned on (S0-5).
    await lookAt('1-sign-in');
    await givePassword();
    await heading('What if I lose my phone?').waitFor();
    await lookAt('2-off');

    // Turned on in three steps.
    await press('Turn on two-factor authentication');
    await lookAt('3-proof');
    await prove(undefined, 'Next');
    await heading('Scan this picture').waitFor();
    await page.getByText('You cannot scan it?').click();
    await lookAt('4-scan');
    const oldSecret = await secretOnPage();
    expect((await page.locator('.secret').textContent())?.replaceAll(' ', '')).toBe(oldSecret);
    await press('Next');
    await lookAt('5-confirm');
    await page.getByLabel('Code').fill(phoneCode(oldSecret));
    await heading('Save your recovery codes').waitFor();
    await lookAt('6-codes');
    const codes = await shownCodes();
    expect(codes).toHaveLength(10);
    expect(codes[0]).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/);
    const [download] = await Promise.all([page.waitForEvent('download'), press('Download as text file')]);
    const file = readFileSync((await download.path()) ?? '', 'utf8');
    for (const code of codes) expect(file).toContain(code);
    expect(await page.getByRole('button', { name: 'Downloaded' }).isDisabled()).toBe(true);
    await press('Finish');
    await page.getByText('Please save the codes first').waitFor();
    await page.getByLabel('I have saved these codes').check();
    await press('Finish');
    await page.getByText('From now on a code is needed to sign in.').waitFor();
    await lookAt('7-on');
    expect(await page.content()).not.toContain(codes[0] ?? 'no code');

    // The phone is lost: in with password and recovery code.
    await press('Sign out');
    await page.getByText('You are signed out.').waitFor();
    await untilNoDevice();
    await givePassword();
    await lookAt('8-code');
    expect(await page.content()).not.toMatch(/\b(10|nine|9) (of|codes|are)/);
    await press('Use a recovery code instead');
    await page
      .getByLabel('Recovery code', { exact: true })
      .fill((codes[0] ?? '').toUpperCase().replaceAll('-', ' '));
    await press('Confirm');
    await page.getByText('It is used up; 9 are left.').waitFor();
    await lookAt('9-recovered');

    // The lost phone is replaced, with one more recovery code, and taken away with the first code of the new one.
    await press('Replace the authenticator');
    await dialog().getByRole('button', { name: 'Use a recovery code instead' }).click();
    await dialog()
      .getByLabel('Recovery code')
      .fill(codes[1] ?? '');
    await dialog().getByLabel('Name').fill('New phone');
    await dialog().getByLabel('Password').fill(PASSWORD);
    await dialog().getByRole('button', { name: 'Next' }).click();
    await heading('Scan this picture').waitFor();
    const newSecret = await secretOnPage();
    await press('Next');
    await page.getByLabel('Code').fill(phoneCode(newSecret));
    await heading('Save your recovery codes').waitFor();
    expect(await shownCodes()).not.toContain(codes[2]);
    await page.getByLabel('I have saved these codes').check();
    await press('Finish');
    await dialog().getByText('Now take “Phone” away').waitFor();
    await lookAt('10-remove-old');
    await prove(phoneCode(newSecret), 'Remove');
    await page.getByText('The authenticator is replaced.').waitFor();
    await lookAt('11-replaced');

    // Only the new phone lets in now.
    await press('Sign out');
    await givePassword();
    await page.getByLabel('Code').fill(phoneCode(oldSecret));
    await page.getByText('This code is not right').waitFor();
    await page.getByLabel('Code').fill(phoneCode(newSecret));
    await page.getByText('New phone').waitFor();
    expect(await page.getByText('Phone', { exact: true }).count()).toBe(0);
  });

  describe('with 2FA on', () => {
    let bob: Enrolled;
    beforeEach(async () => {
      bob = await app.enrol('bob', 4);
    });

    test('a wrong password and a wrong code are said where they were typed, and stay', async () => {
      await page.getByLabel('User name').fill('bob');
      await page.getByLabel('Password').fill('wrong');
      await press('Sign in');
      await expectFailed(page.getByLabel('Password'), 'wrong', /not right/);
      expect(await page.getByLabel('User name').inputValue()).toBe('bob');
      await page.getByLabel('Password').fill(PASSWORD);
      await press('Sign in');
      const wrong = app.wrongCode(bob);
      await page.getByLabel('Code').fill(wrong);
      await expectFailed(page.getByLabel('Code'), wrong, /not right/);
      await lookAt('12-wrong-code');
      for (let again = 0; again < 5; again++) {
        await Promise.all([page.waitForResponse(/login/), press('Confirm')]);
      }
      await page.getByText('Too many wrong codes').waitFor();
    });

    test('a pasted code with blanks signs in by itself', async () => {
      await givePassword();
      const code = nextCode(bob);
      await page.getByLabel('Code').fill(`${code.slice(0, 3)} ${code.slice(3)} `);
      await heading('Sessions').waitFor();
    });

    test('attack 89: every change asks for password and code, in either order of mistakes', async () => {
      await signIn(bob);
      await press('Create new recovery codes');
      const dialogCode = dialog().getByLabel('Code');
      await dialog().getByRole('button', { name: 'Confirm' }).click();
      await expectFailed(dialogCode, '', /Please enter a code/);
      const wrong = app.wrongCode(bob);
      await prove(wrong, 'Confirm');
      await expectFailed(dialogCode, wrong, /not right/);
      await dialogCode.fill(nextCode(bob));
      await dialog().getByLabel('Password').fill('wrong');
      await dialog().getByRole('button', { name: 'Confirm' }).click();
      await expectFailed(dialog().getByLabel('Password'), 'wrong', /not right/);
      expect(await dialogCode.getAttribute('readonly')).toBe('');
      await lookAt('13-proof');
      await prove(undefined, 'Confirm');
      await heading('Save your recovery codes').waitFor();
      expect(await shownCodes()).toHaveLength(10);
      await page.getByText('Older recovery codes do not work any more.').waitFor();
    });

    test('authenticators are added, renamed and removed', async () => {
      await signIn(bob);
      await press('Rename “phone”');
      await page.getByLabel('Name').fill('<b>old</b> phone');
      await lookAt('14-rename');
      await press('Save');
      await page.getByText('<b>old</b> phone', { exact: true }).waitFor();

      await press('Add another authenticator');
      await dialog().getByLabel('Name').fill('Tablet');
      await prove(nextCode(bob), 'Next');
      const secret = await secretOnPage();
      await press('Next');
      const confirming = phoneCode(secret);
      await page.getByLabel('Code').fill('000000');
      await expectFailed(page.getByLabel('Code'), '000000', /clock of your phone/);
      await page.getByLabel('Code').fill(confirming);
      await page.getByLabel('I have saved these codes').check();
      await press('Finish');
      await page.getByText('The authenticator is added.').waitFor();

      await press('Remove “Tablet”');
      await prove(phoneCode(secret), 'Remove');
      await page.getByText('The authenticator is removed.').waitFor();
      expect(await page.getByText('Tablet', { exact: true }).count()).toBe(0);
    });

    test('recovery codes: used ones with their date, few, none', async () => {
      await givePassword();
      await press('Use a recovery code instead');
      await page.getByLabel('Recovery code', { exact: true }).fill(bob.recoveryCodes[2] ?? '');
      await press('Confirm');
      await page.getByText('It is used up; 3 are left.').waitFor();
      await page.getByText('You have few recovery codes left.').waitFor();
      await page.getByText('One code was used').click();
      await page.getByText(/^Code 3: used/).waitFor();
      await press('Delete all codes');
      await prove(nextCode(bob), 'Delete all codes');
      await page.getByText('If you lose your authenticator you cannot get in any more.').waitFor();
      expect(await page.getByText('You signed in with a recovery code').count()).toBe(0);
      await lookAt('15-no-codes');
    });

    test('the last recovery code says what to do now', async () => {
      await page.context().close();
      await app.stop();
      app = await startApp({ users: [{ name: 'bob', password: PASSWORD }] });
      bob = await app.enrol('bob', 1);
      page = await open();
      await givePassword();
      await press('Use a recovery code instead');
      await page.getByLabel('Recovery code', { exact: true }).fill(bob.recoveryCodes[0] ?? '');
      await press('Confirm');
      await page.getByText('That was your last recovery code.').waitFor();
    });

    test('other sessions are ended', async () => {
      app.stub.signIn('bob');
      app.stub.signIn('bob');
      await signIn(bob);
      await press('End all other sessions');
      await dialog().getByText('2 sessions are signed out at once.').waitFor();
      await prove(nextCode(bob), 'End');
      await page.getByText('2 sessions have ended.').waitFor();
      await page.getByText('There are no other sessions.').waitFor();
      expect(app.stub.devicesOf('bob')).toHaveLength(1);
    });

    test('2FA is turned off', async () => {
      await signIn(bob);
      await press('Turn off two-factor authentication');
      await lookAt('16-turn-off');
      await prove(nextCode(bob), 'Turn off');
      await page.getByRole('button', { name: 'Turn on two-factor authentication' }).waitFor();
      expect(await app.storage.factors.isEnrolled(bob.userId)).toBe(false);
      await page.getByText('Two-factor authentication turned off').waitFor();
    });

    test('everything goes by keyboard alone', async () => {
      await page.keyboard.type('bob');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await page.getByLabel('Code').waitFor();
      await page.keyboard.type(nextCode(bob));
      await heading('Sessions').waitFor();
      await page.getByRole('button', { name: 'Create new recovery codes' }).focus();
      await page.keyboard.press('Enter');
      await page.keyboard.type(nextCode(bob));
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      await page.keyboard.press('Enter');
      await page.keyboard.type(app.code(bob));
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await heading('Save your recovery codes').waitFor();
    });

    test('the session ends after ten idle minutes', async () => {
      await page.clock.install();
      await page.reload();
      await signIn(bob);
      await page.clock.runFor('09:50');
      expect(await heading('Sessions').isVisible()).toBe(true);
      await page.mouse.move(5, 5);
      await page.mouse.move(50, 50);
      await page.clock.runFor('09:50');
      expect(await heading('Sessions').isVisible()).toBe(true);
      await page.clock.runFor('00:20');
      await page.getByText('because nothing happened for ten minutes').waitFor();
      await untilNoDevice();
    });

    test('the session ends with the page', async () => {
      await signIn(bob);
      await page.goto('about:blank');
      await untilNoDevice();
    });

    test('a session that was ended elsewhere leads back to the sign-in', async () => {
      await signIn(bob);
      for (const token of app.stub.liveTokens('bob')) app.stub.expire(token);
      await press('Rename “phone”');
      await page.getByLabel('Name').fill('x');
      await press('Save');
      await page.getByText('Your session on this page has ended.').waitFor();
    });

    test('a homeserver that is gone is said so', async () => {
      await app.stub.setDown('refuse');
      await givePassword();
      await page.getByText('cannot be reached at the moment').waitFor();
      complaints = complaints.filter((text) => !text.includes('status of 50'));
    });
  });

  test('in German it is all there', async () => {
    const bob = await app.enrol('bob', 4);
    await page.context().close();
    page = await open({ locale: 'de-AT' });
    await page.getByLabel('Benutzername').fill('bob');
    await page.getByLabel('Passwort').fill(PASSWORD);
    await press('Anmelden');
    await page.getByLabel('Code').fill(nextCode(bob));
    await heading('Sitzungen').waitFor();
    await lookAt('17-german');
  });

  test('the codes are printed without the rest', async () => {
    await givePassword();
    await press('Turn on two-factor authentication');
    await prove(undefined, 'Next');
    const secret = await secretOnPage();
    await press('Next');
    await page.getByLabel('Code').fill(phoneCode(secret));
    await heading('Save your recovery codes').waitFor();
    await page.emulateMedia({ media: 'print' });
    await page.screenshot({ path: 'artefacts/account-18-print.png', fullPage: true });
    await page.getByText('Recovery codes for @bob:localhost').waitFor();
    expect(await page.getByRole('button', { name: 'Finish' }).isVisible()).toBe(false);
    expect(await shownCodes()).toHaveLength(10);
  });

  test('at twice the size nothing is cut off', async () => {
    // A window of 1280 × 960, zoomed to 200 %.
    const bob = await app.enrol('bob', 4);
    await page.setViewportSize({ width: 640, height: 480 });
    await signIn(bob);
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  });

  /** The page does not wait for its own sign-out. */
  async function untilNoDevice(): Promise<void> {
    for (let tries = 0; tries < 100 && app.stub.devicesOf('bob').length > 0; tries++) {
      await page.waitForTimeout(20);
    }
    expect(app.stub.devicesOf('bob')).toEqual([]);
  }
});
