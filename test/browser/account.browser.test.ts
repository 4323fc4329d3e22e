import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { generateSync } from 'otplib';
import type { Browser, Locator, Page } from 'playwright-core';
import { seriousFindings } from '../support/accessibility.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, photograph, startBrowser } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';

const PASSWORD = 'correct horse battery staple';
const STEP = 30_000;
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
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
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
    await expect(liveDevices()).resolves.toEqual([]);
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
  }, 120_000);

  async function liveDevices(): Promise<string[]> {
    await page.waitForLoadState('networkidle');
    return app.stub.devicesOf('bob').map(({ deviceId }) => deviceId);
  }
});
