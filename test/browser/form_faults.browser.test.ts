import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { seedIn } from '../account/account.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, startBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { codeAt } from '../support/enrolment.ts';

const PASSWORD = 'correct horse battery staple';

describeInBrowser('a page with forms that is come back to, or read by ear', () => {
  let browser: Browser;
  let app: TestApp;
  let client: ClientPage;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: ['alice', 'carol', 'dave'].map((name) => ({ name, password: PASSWORD })),
      config: 'policy: { users: { "@carol:localhost": required, "@dave:localhost": required } }',
    });
    client = await ClientPage.serve(app.url);
  });
  afterAll(async () => {
    await browser.close();
    await client.stop();
    await app.stop();
  });
  beforeEach(async () => {
    page = await openPage(browser);
  });
  afterEach(() => page.context().close());

  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

  async function signIn(name: string): Promise<void> {
    await page.goto(`${app.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
    await page.getByLabel('Username').fill(name);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await press('Continue');
  }

  async function setUp(name: string): Promise<void> {
    await signIn(name);
    await press('Set up now');
    const key = (await page.locator('code.secret').textContent()) ?? '';
    await page
      .getByLabel('Authentication code')
      .fill(codeAt(seedIn(key.replaceAll(' ', '')), app.clock.now()));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  }

  /** As browsers do for a page that they kept in memory. */
  const comeBack = () =>
    page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`);

  test('attack 152: one that was sent and is come back to holds its buttons back again', async () => {
    // It stands still.
    await page.clock.install({ time: '2026-01-01T08:00:00Z' });
    await page.clock.pauseAt('2026-01-01T08:10:00Z');
    await signIn('alice');
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
    await page.clock.runFor(500);
    // The browser stays where it is.
    await page.route('**/_2fa/login**', (route) => route.fulfill({ status: 204 }));
    await press('Continue');
    await page.clock.runFor(1);
    await page.locator('button[data-works]').waitFor();
    await comeBack();
    const next = page.getByRole('button', { name: 'Continue', exact: true });
    expect([await next.isDisabled(), await next.getAttribute('data-works')]).toEqual([true, null]);
    await page.clock.runFor(500);
    expect(await next.isDisabled()).toBe(false);
  });

  test('recovery codes are not shown again by going back', async () => {
    await setUp('carol');
    const loaded = page.waitForEvent('load');
    await comeBack();
    await loaded;
  });

  test('that codes were saved is said to those who do not see it', async () => {
    await setUp('dave');
    const [download] = await Promise.all([page.waitForEvent('download'), press('Download')]);
    await download.path();
    await page.getByRole('status').getByText('Downloaded', { exact: true }).waitFor({ state: 'attached' });
    // What the browser does not let do goes away, and the focus with it to the heading.
    await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error())');
    await press('Copy');
    await page.locator('h1:focus').waitFor();
  });
});
