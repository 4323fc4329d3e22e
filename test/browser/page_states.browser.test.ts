import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { seriousFindings } from '../support/accessibility.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, startBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { ContactSheet } from './contact_sheet.ts';
import { PAGE_STATES } from './page_states.ts';
import { PASSWORD, PageVisit, type Users } from './page_visit.ts';

jest.setTimeout(120_000);

/** `npm run pages` names a folder: then each state is photographed, in every look and in two languages. */
const FOLDER = process.env.M2FA_PAGES;
const LANGUAGES = FOLDER === undefined ? ['en'] : ['en', 'de'];
const LIMITS = 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }';

describeInBrowser('every state of every page', () => {
  const sheet = FOLDER === undefined ? undefined : new ContactSheet(FOLDER);
  let browser: Browser;
  let app: TestApp;
  let client: ClientPage;
  let users: Users;
  const seen: unknown[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: ['alice', 'bob', 'carol'].map((name) => ({ name, password: PASSWORD })),
      config: LIMITS,
    });
    client = await ClientPage.serve(app.url);
    users = { bob: await app.enrol('bob', 10), carol: await app.enrol('carol', 10) };
  });

  afterAll(async () => {
    if (sheet !== undefined) process.stdout.write(`All pictures: ${sheet.write()}\n`);
    await browser.close();
    await client.stop();
    await app.stop();
  });

  test('each has a name of its own', () => {
    expect(new Set(PAGE_STATES.map(({ name }) => name)).size).toBe(PAGE_STATES.length);
  });

  test.each(
    LANGUAGES.flatMap((language) => PAGE_STATES.map((state) => ({ language, state, name: state.name }))),
  )(
    '$name, $language: reached, in its language, accessible, and nothing is cut off on a phone',
    async ({ language, state }) => {
      const page = await openPage(browser, { locale: language });
      await state.reach(new PageVisit(page, app, client, users));
      await page.waitForLoadState('networkidle');
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      await page.locator('h1').first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      const text = await page.evaluate('document.body.innerText');
      // A state that was not reached looks like the one before it.
      expect(seen).not.toContain(text);
      seen.push(text);
      await sheet?.photograph(page, state, language);
      await page.setViewportSize({ width: 360, height: 700 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      await page.context().close();
    },
  );
});
