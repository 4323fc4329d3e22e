import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { seedIn } from '../account/account.ts';
import { startApp, type TestApp } from '../support/app.ts';
import {
  describeInBrowser,
  onComplaint,
  openPage,
  photograph,
  press,
  startBrowser,
} from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { lookAt } from '../support/look_at.ts';

const PASSWORD = 'correct horse battery staple';
const STEP = 30_000;
describeInBrowser('the sign-in page and the fallback pages', () => {
  let browser: Browser;
  let app: TestApp;
  let client: ClientPage;
  let bob: Enrolled;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    app = await startApp({
      users: [
        { name: 'alice', password: PASSWORD },
        { name: 'bob', password: PASSWORD },
      ],
    });
    bob = await app.enrol('bob', 10);
    client = await ClientPage.serve(app.url);
    complaints = [];
    page = await open();
  });
  afterEach(async () => {
    await page.context().close();
    await client.stop();
    await app.stop();
    expect(complaints).toEqual([]);
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const opened = await openPage(browser, options);
    onComplaint(opened, (complaint) => complaints.push(complaint));
    return opened;
  }

  /** Of a page whose scripts have run. */
  const heading = async (on: Page, name: string) => {
    await on.getByRole('heading', { name }).waitFor();
    await on.waitForLoadState('load');
  };

  const arrived = (name: string) => page.getByText(`in the client as @${name}:localhost`).waitFor();

  async function givePassword(name: string, password = PASSWORD): Promise<void> {
    await page.getByLabel('Username').fill(name);
    await page.getByLabel('Password').fill(password);
    await press(page, 'Continue');
  }

  /** From the client's button to the code. */
  async function signInUpToCode(): Promise<void> {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await heading(page, 'Sign in');
    await givePassword('bob');
    await heading(page, 'Two-factor authentication');
    await focusOn(page, 'code');
  }

  function nextCode(): string {
    app.clock.advance(STEP);
    return app.code(bob);
  }

  /** The browser gives it when it draws the page for the first time. */
  const focusOn = (on: Page, id: string) => on.locator(`#${id}:focus`).waitFor();

  test('with 2FA: from the client, through password, code and confirmation, and back', async () => {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await heading(page, 'Sign in');
    await focusOn(page, 'user');
    await lookAt(page, 'sign-in-1-password');
    await givePassword('bob', 'wrong');
    await page.getByText('Incorrect username or password.').waitFor();
    await focusOn(page, 'password');
    expect(await page.getByLabel('Username').inputValue()).toBe('bob');
    await lookAt(page, 'sign-in-2-wrong-password');
    await givePassword('bob');
    await heading(page, 'Two-factor authentication');
    await focusOn(page, 'code');
    await lookAt(page, 'sign-in-3-code');

    // What was wrong is told, and stays.
    const wrong = app.wrongCode(bob);
    await page.keyboard.type(wrong);
    await page.keyboard.press('Enter');
    await page.getByText('That code is incorrect or was already used.').waitFor();
    await focusOn(page, 'code');
    expect(await page.getByLabel('Authentication code').inputValue()).toBe('');
    await lookAt(page, 'sign-in-4-wrong-code');

    // Pasted with a blank in the middle, as apps show it.
    const code = nextCode();
    await page.getByLabel('Authentication code').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.keyboard.press('Enter');
    await heading(page, 'Continue to ');
    await page.locator('.destination').getByText(new URL(client.url).host).waitFor();
    await lookAt(page, 'sign-in-5-confirmation');
    await press(page, 'Continue');
    await arrived('bob');
    expect(new URL(page.url()).search).toBe('');
    expect(app.stub.devicesOf('bob')).toMatchObject([{ displayName: 'A web client' }]);
  });

  test('by keyboard alone, at twice the size', async () => {
    // A window of 1280 × 720, zoomed to 200 %.
    await page.setViewportSize({ width: 640, height: 360 });
    const fits = async () =>
      expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
    await page.goto(client.url);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#user:focus').waitFor();
    await fits();
    await page.keyboard.type('bob');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#code:focus').waitFor();
    await fits();
    await page.keyboard.type(nextCode());
    await page.keyboard.press('Enter');
    await page.locator('h1:focus', { hasText: 'Continue to ' }).waitFor();
    await page.locator('button:enabled', { hasText: 'Continue' }).waitFor();
    await page.keyboard.press('Tab');
    await page.locator('button:focus', { hasText: 'Continue' }).waitFor();
    await fits();
    await page.keyboard.press('Enter');
    await arrived('bob');
  });

  test('with a recovery code: the lost authenticator is replaced, without going anywhere else', async () => {
    bob = await app.enrol('bob', 10);
    await signInUpToCode();
    await page.getByText('Use a recovery code instead').click();
    await page.getByLabel('Recovery code').fill(bob.recoveryCodes[0] ?? '');
    await page.keyboard.press('Enter');
    await heading(page, 'Continue to ');
    await page.getByText('Lost your phone?').waitFor();
    await lookAt(page, 'replace-1-offer');
    await page.getByRole('link', { name: 'Set up a new authenticator' }).click();
    await heading(page, 'Replace your authenticator');
    await lookAt(page, 'replace-2-which');
    await page.getByLabel('All of them').check();
    await press(page, 'Continue');
    const key = await page.locator('code.secret').textContent();
    await lookAt(page, 'replace-3-scan');
    await page
      .getByLabel('Authentication code')
      .fill(codeAt(seedIn(key?.replaceAll(' ', '')), app.clock.now()));
    await page.keyboard.press('Enter');
    await page.getByText('Authenticator replaced.').waitFor();
    await lookAt(page, 'replace-4-save');
    const codes = await page.locator('.codes li').allTextContents();
    const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')]);
    const file = readFileSync((await download.path()) ?? '', 'utf8');
    expect(file).toMatch(/^Recovery codes for @bob:localhost · .+ · created \d.*\n\n/);
    expect(file.trimEnd().split('\n').slice(2)).toEqual(codes);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('button', { name: 'Done' }).isVisible()).toBe(false);
    await page.getByText('Recovery codes for @bob:localhost').waitFor();
    await page.emulateMedia({ media: 'screen' });
    await page.getByLabel('I have saved these codes').check();
    await press(page, 'Done');
    await heading(page, 'Continue to ');
    await lookAt(page, 'replace-5-confirmation');
    await page.locator('button:enabled', { hasText: 'Continue' }).click();
    await arrived('bob');
    expect(await app.storage.factors.authenticators(bob.userId)).toHaveLength(1);
  });

  test('a form that was sent says that it works, is sent once, and can be sent again when the browser was stopped', async () => {
    await page.clock.install({ time: '2026-01-01T08:00:00Z' });
    await page.goto(client.url);
    await press(page, 'Sign in');
    await heading(page, 'Sign in');
    let sent = 0;
    await page.route('**/_2fa/login**', (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      sent += 1;
      // The browser stays where it is, as one that was stopped.
      return route.fulfill({ status: 204 });
    });
    await page.getByLabel('Username').fill('bob');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.clock.pauseAt('2026-01-01T08:10:00Z');
    await page.keyboard.press('Enter');
    const next = page.getByRole('button', { name: 'Continue', exact: true });
    await page.locator('form[data-sent]').waitFor();
    await page.clock.runFor(1);
    await page.locator('button[data-works]:disabled').waitFor();
    await page.keyboard.press('Enter');
    await page.clock.runFor(14_000);
    expect([await next.isDisabled(), sent]).toEqual([true, 1]);
    await page.clock.runFor(2000);
    expect([await next.isDisabled(), await next.getAttribute('data-works')]).toEqual([false, null]);
    await page.unroute('**/_2fa/login**');
    await press(page, 'Continue');
    await heading(page, 'Two-factor authentication');
  });

  test('a password is shown while it is typed, and sent as one', async () => {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await heading(page, 'Sign in');
    const field = page.getByLabel('Password', { exact: true });
    await page.getByLabel('Username').fill('bob');
    await field.fill(PASSWORD);
    await press(page, 'Show password');
    expect(await field.getAttribute('type')).toBe('text');
    expect(await field.inputValue()).toBe(PASSWORD);
    expect(await field.evaluate((input) => input === input.ownerDocument.activeElement)).toBe(true);
    await press(page, 'Hide password');
    expect(await field.getAttribute('type')).toBe('password');
    await press(page, 'Show password');
    const types: (string | null)[] = [];
    await page.exposeFunction('typeAtSubmit', (type: string) => types.push(type));
    await page.evaluate(
      `document.forms[0].addEventListener('submit', () => void typeAtSubmit(document.querySelector('#password').type))`,
    );
    await page.keyboard.press('Enter');
    await heading(page, 'Two-factor authentication');
    expect(types).toEqual(['password']);
  });

  test('attack 152: a code never sends itself, in one piece or digit by digit', async () => {
    await signInUpToCode();
    const code = nextCode();
    await page.keyboard.type(code);
    await page.getByLabel('Authentication code').fill(code);
    // Whatever a script would send has been sent by the time that the browser has drawn twice.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    expect(await page.getByRole('heading', { name: 'Two-factor authentication' }).isVisible()).toBe(true);
    expect(app.stub.requestsTo('login').length).toBeLessThan(3);
    await page.keyboard.press('Enter');
    await heading(page, 'Continue to ');
  });

  test.each([[[0]], [[0, 0, 0]], [[0, 120]], [[0, 300, 700]], [[120, 300, 700, 1000]], [[700, 700]]])(
    'attack 152: six digits and Enter after %j ms end on the confirmation page',
    async (delays) => {
      await signInUpToCode();
      await page.keyboard.type(nextCode());
      for (const delay of delays) {
        await page.waitForTimeout(delay);
        await page.keyboard.press('Enter');
      }
      await heading(page, 'Continue to ');
      await page.locator('button:enabled', { hasText: 'Continue' }).waitFor();
      await page.locator('h1:focus').waitFor();
      for (const key of ['Enter', 'Space', '1', 'Enter']) await page.keyboard.press(key);
      expect(await page.getByText('Continue to ').isVisible()).toBe(true);
      expect(app.stub.devicesOf('bob').filter(({ displayName }) => displayName === 'A web client')).toEqual(
        [],
      );
    },
  );

  test('attack 152: for half a second no key and no click confirms', async () => {
    await signInUpToCode();
    await page.clock.install({ time: '2026-01-01T08:00:00Z' });
    await page.clock.pauseAt('2026-01-01T08:10:00Z');
    await page.keyboard.type(nextCode());
    await page.keyboard.press('Enter');
    await heading(page, 'Continue to ');
    const button = page.getByRole('button', { name: 'Continue', exact: true });
    await page.clock.runFor(499);
    for (const key of ['Tab', 'Enter', 'Space', 'Tab', 'Enter']) await page.keyboard.press(key);
    await button.click({ force: true, noWaitAfter: true });
    await button.dispatchEvent('click');
    expect([await button.isDisabled(), await page.getByText('Continue to ').isVisible()]).toEqual([
      true,
      true,
    ]);
    await page.clock.runFor(1);
    await button.click();
    await arrived('bob');
  });

  test('attack 152: a script that comes late takes no click away, and without it clicks are held back for half a second', async () => {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await heading(page, 'Sign in');
    let arrive = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route('**/forms.js*', (route) => arrival.then(() => route.continue()));
    // The page has been in sight for half a second when the script arrives.
    await page.addInitScript('performance.getEntriesByType = () => [{ startTime: performance.now() - 500 }]');
    await page.route('**/page.css*', async (route) => {
      const response = await route.fetch();
      const stopped = '[data-unhurried] .button { animation-play-state: paused }';
      await route.fulfill({ response, body: `${await response.text()}${stopped}` });
    });
    await givePassword('alice');
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
    const button = page.getByRole('button', { name: 'Continue', exact: true });
    const clicksAfter = async (ms: number) => {
      await page.evaluate(`document.getAnimations().forEach((held) => { held.currentTime = ${ms}; })`);
      return page.evaluate(
        "getComputedStyle(document.querySelector('[data-unhurried] button')).pointerEvents",
      );
    };
    expect([await clicksAfter(0), await clicksAfter(499), await clicksAfter(500)]).toEqual([
      'none',
      'none',
      'auto',
    ]);
    await button.hover();
    arrive();
    await page.waitForLoadState('load');
    await page.mouse.down();
    await page.mouse.up();
    await arrived('alice');
  });

  test('without 2FA: password and confirmation', async () => {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await givePassword('alice');
    await heading(page, 'Continue to ');
    await press(page, 'Continue');
    await arrived('alice');
  });

  test('phone lost: a recovery code is in sight, by keyboard alone, and the page says what to do next', async () => {
    await signInUpToCode();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.locator('summary:focus', { hasText: 'Use a recovery code instead' }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await focusOn(page, 'recovery');
    await page.keyboard.type('nonsense');
    await page.keyboard.press('Enter');
    await page.getByText('That recovery code is incorrect or was already used.').waitFor();
    await focusOn(page, 'recovery');
    await lookAt(page, 'sign-in-6-recovery');
    await page.getByLabel('Recovery code').fill(bob.recoveryCodes[0] ?? '');
    await page.keyboard.press('Enter');
    await page.getByText('9 are left').waitFor();
    await lookAt(page, 'sign-in-7-after-recovery');
    const link = page.locator('#main').getByRole('link', { name: 'Set up a new authenticator' });
    expect(await link.getAttribute('href')).toMatch(/^\/_2fa\/login\/replace\?v=/);
    await press(page, 'Continue');
    await arrived('bob');
  });

  test('without JavaScript, on a narrow screen, in German', async () => {
    await page.context().close();
    page = await open({ javaScriptEnabled: false, locale: 'de-DE', viewport: { width: 320, height: 568 } });
    const back = 'io.example.app://callback';
    await page.goto(`${app.url}/_2fa/login?redirectUrl=${encodeURIComponent(back)}`);
    await page.getByText('einer App auf diesem Gerät (io.example.app://callback)').waitFor();
    await page.getByLabel('Benutzername').fill('bob');
    await page.getByLabel('Passwort').fill(PASSWORD);
    await press(page, 'Weiter');
    await page.getByText('Stattdessen einen Wiederherstellungscode verwenden').click();
    await photograph(page, 'sign-in-8-german');
    await page.getByText('Telefon und Wiederherstellungscodes verloren?').waitFor();
    await page.getByLabel('Authentifizierungscode').fill(nextCode());
    await page.keyboard.press('Enter');
    await heading(page, 'Weiter zu einer App auf diesem Gerät?');
    const sent = page.waitForResponse((response) => response.status() === 303);
    await press(page, 'Weiter').catch(() => undefined);
    const { location = '' } = await (await sent).allHeaders();
    expect(location).toMatch(/^io\.example\.app:\/\/callback\?loginToken=m2fat_/);
  });

  test('a removal in a client: the popup asks for code and password, tells the client and closes itself', async () => {
    await signInUpToCode();
    await page.keyboard.type(nextCode());
    await page.keyboard.press('Enter');
    await press(page, 'Continue');
    await page.getByText('in the client as').waitFor();
    app.stub.signIn('bob', 'OTHER');
    const opened = page.waitForEvent('popup');
    await press(page, 'Remove the other session');
    const popup = await opened;
    await popup.getByText('sign out 1 device').waitFor();
    await lookAt(popup, 'fallback-1-code');
    await popup.getByLabel('Authentication code').fill(app.wrongCode(bob));
    await popup.keyboard.press('Enter');
    await popup.getByText('That code is incorrect or was already used.').waitFor();
    await popup.getByLabel('Authentication code').fill(nextCode());
    await popup.keyboard.press('Enter');
    await popup.getByText('Enter the password of @bob:localhost.').waitFor();
    await focusOn(popup, 'password');
    await lookAt(popup, 'fallback-2-password');
    await popup.keyboard.type('wrong');
    await popup.keyboard.press('Enter');
    await popup.getByText('Incorrect password.').waitFor();
    await focusOn(popup, 'password');
    const closed = popup.waitForEvent('close');
    await popup.keyboard.type(PASSWORD);
    await popup.keyboard.press('Enter');
    await closed;
    await page.getByText('removed: 200').waitFor();
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain('OTHER');
  });

  test('after a recovery code the popup tells the client, and stays open for what there is to read', async () => {
    const { token } = app.stub.signIn('bob');
    const challenge = await app.post('/_matrix/client/v3/account/password', { new_password: 'x' }, token);
    const target = `/_matrix/client/v3/auth/m.login.2fa.totp/fallback/web?session=${challenge.json.session}`;
    await page.goto(client.url);
    const opened = page.waitForEvent('popup');
    await page.evaluate(`{
      globalThis.told = new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data)));
      window.open('${app.url}${target}');
    }`);
    const popup = await opened;
    await popup.getByText('Use a recovery code instead').click();
    await popup.getByLabel('Recovery code').fill(bob.recoveryCodes[9] ?? '');
    await popup.keyboard.press('Enter');
    expect(await page.evaluate('told')).toBe('authDone');
    await popup.getByText(/^You used a recovery code. \d+ are left.$/).waitFor();
    await popup.close();
  });

  test('in a plain tab the page says that one can go back', async () => {
    const { token } = app.stub.signIn('bob');
    const challenge = await app.post('/_matrix/client/v3/account/password', { new_password: 'x' }, token);
    const target = `/_matrix/client/v3/auth/m.login.sso/fallback/web?session=${challenge.json.session}`;
    await page.goto(app.url + target);
    await page.getByText('change your password', { exact: true }).waitFor();
    await page.getByLabel('Authentication code').fill(nextCode());
    await page.keyboard.press('Enter');
    await page.getByLabel('Password').fill(PASSWORD);
    await press(page, 'Approve');
    await page.getByText('You can close this page and go back to your app.').waitFor();
    await lookAt(page, 'fallback-3-done');
    await page.goto(`${app.url}${target.slice(0, -3)}xyz`);
    await heading(page, 'This request is no longer open');
    await lookAt(page, 'fallback-4-unknown');
  });

  test('an address without a client is explained', async () => {
    await page.goto(`${app.url}/_2fa/login`);
    await heading(page, 'This link does not work');
    await lookAt(page, 'sign-in-9-no-client');
  });
});
