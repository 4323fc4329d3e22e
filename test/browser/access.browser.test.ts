import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { registerApp, requestOf } from '../oauth/asking.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openContext, startBrowser, untilSo } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { AccountPerson } from './account_person.ts';

describeInBrowser('an app asks for access', () => {
  let browser: Browser;
  let app: TestApp;
  let listener: Server;
  let back: string;
  const came: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: [{ name: 'bob', password: 'bob password' }],
      config: 'oauth: { enabled: true }',
    });
    listener = createServer((request, response) => {
      came.push(`${request.url} ${request.headers.referer ?? 'without a referrer'}`);
      response.end('<!doctype html><title>The app</title>');
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    back = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/back`;
  });

  afterAll(async () => {
    await browser.close();
    listener.closeAllConnections();
    listener.close();
    await app.stop();
  });

  test.each([false, true])('from request to code, with scripts: %s', async (javaScriptEnabled) => {
    const bob = await app.enrol('bob');
    const client_id = await registerApp(app, {
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/back'],
    });
    const page = await (await openContext(browser, { javaScriptEnabled })).newPage();
    await page.goto(app.url + requestOf({ client_id, redirect_uri: back }));
    await page.getByLabel('Username').fill('bob');
    await page.getByLabel('Password', { exact: true }).fill('bob password');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    app.clock.advance(30_000);
    await page.getByLabel('Authentication code').fill(app.code(bob));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByRole('heading', { name: 'Give an app access to your account?' }).waitFor();
    // Scripts have run: buttons are off for the half second of the page.
    await page.waitForLoadState('load');
    // An Enter too many presses nothing.
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.waitForURL(/\/back\?code=[\w-]{43}&state=the%20state&iss=/);
    expect(came.at(-1)).toMatch(/ without a referrer$/);
    await page.context().close();
  });
});

describeInBrowser('what apps that sign in by OAuth leave to the account page', () => {
  let browser: Browser;
  let app: TestApp;
  let page: Page;
  let person: AccountPerson;
  let bob: Enrolled;

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: [{ name: 'bob', password: 'bob password' }],
      config: 'oauth: { enabled: true }',
    });
    bob = await app.enrol('bob');
    app.stub.signIn('bob', 'PHONE');
    app.stub.signIn('bob', 'TABLET');
    page = await (await openContext(browser)).newPage();
    await page.goto(`${app.url}/_2fa/account?action=org.matrix.device_delete&device_id=PHONE`);
    person = new AccountPerson(page, app.clock, 'bob', 'bob password');
    app.clock.advance(30_000);
    await person.signIn(app.code(bob));
  });

  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  const rows = () => page.getByRole('region', { name: 'Signed-in devices' }).getByRole('listitem');

  async function openAt(action: string): Promise<void> {
    await page.goto(`${app.url}/_2fa/account?action=${action}`);
    await person.heading('Signed-in devices').waitFor();
  }

  /** Password and code in the dialog. */
  async function prove(password: string, button: string): Promise<void> {
    app.clock.advance(30_000);
    await person.dialog().getByLabel('Authentication code').fill(app.code(bob));
    await person.dialog().getByLabel('Password', { exact: true }).fill(password);
    await person.dialog().getByRole('button', { name: button, exact: true }).click();
  }

  test('an address opens a part after the sign-in, with the device first and the question whether to end it', async () => {
    await person.heading('Signed-in devices').waitFor();
    await page.getByText('Your app asked for this one').waitFor();
    expect(await rows().nth(1).textContent()).toContain('PHONE');
    // The question stands open; a no changes nothing.
    await person.dialog().getByRole('heading', { name: 'Sign out “' }).waitFor();
    await person.dialog().getByRole('button', { name: 'Cancel' }).click();
    await untilSo(page, "document.activeElement.textContent === 'Signed-in devices'");
    expect(app.stub.liveTokens('bob')).toHaveLength(3);
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('attack 335: the device of an address ends after the answer alone, and another one not at all', async () => {
    for (const action of ['device_view&device_id=TABLET', 'device_delete', 'session_end&device_id=']) {
      await openAt(`org.matrix.${action}`);
      await untilSo(page, "document.activeElement.textContent === 'Signed-in devices'");
      expect(await page.getByRole('dialog').count()).toBe(0);
    }
    await openAt('org.matrix.session_end&device_id=UNKNOWN');
    await page.getByText('The device that your app asked for is no longer signed in.').waitFor();
    await openAt('org.matrix.session_end&device_id=PHONE');
    const confirm = person.dialog().getByRole('button', { name: 'Sign out', exact: true });
    await confirm.waitFor();
    expect(app.stub.liveTokens('bob')).toHaveLength(3);
    await person.dialog().getByLabel('Password', { exact: true }).fill('bob password');
    await confirm.click();
    await page.getByText('1 device signed out.').waitFor();
    expect(app.stub.liveTokens('bob')).toHaveLength(2);
    expect(await rows().allTextContents()).not.toContainEqual(expect.stringContaining('PHONE'));
  });

  test('others open the end of the account, the word on cross-signing, or the overview', async () => {
    await openAt('org.matrix.account_deactivate');
    await untilSo(page, "document.activeElement.textContent === 'Password and account'");
    expect(await page.getByRole('dialog').count()).toBe(0);
    await openAt('org.matrix.cross_signing_reset');
    await page.getByText('To reset your encryption identity, start in your app.').waitFor();
    await openAt('org.example.unknown');
    await untilSo(page, "document.activeElement.tagName === 'H1'");
    // An account without a password has none to change.
    const end = page.getByRole('region', { name: /^(?:Password and account|Account)$/ });
    expect(await end.getByRole('button').allTextContents()).toEqual([
      'Change password',
      'Deactivate account',
    ]);
    await page.route('**/_2fa/account/session', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), has_password: false } });
    });
    await openAt('org.matrix.account_deactivate');
    expect(await end.getByRole('button').allTextContents()).toEqual(['Deactivate account']);
    await page.unroute('**/_2fa/account/session');
  });

  test('the password is changed there with password and a fresh code, and the account is ended', async () => {
    await openAt('org.matrix.account_deactivate');
    await person.press('Change password');
    await person.dialog().getByLabel('New password').fill('another password');
    await prove('bob password', 'Change password');
    await page.getByText('You are signed out.').waitFor();
    person = new AccountPerson(page, app.clock, 'bob', 'another password');
    app.clock.advance(30_000);
    await person.signIn(app.code(bob));
    await person.press('Deactivate account');
    await person.dialog().getByText('This cannot be undone.').waitFor();
    await prove('another password', 'Deactivate account');
    await page.getByText('You are signed out.').waitFor();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});
