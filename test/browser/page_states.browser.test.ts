import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { html } from '../../src/pages/shell/html.ts';
import { Examiner } from '../support/accessibility.ts';
import { describeInBrowser, startBrowser } from '../support/browser.ts';
import { ContactSheet } from './contact_sheet.ts';
import { openScene } from './page_scene.ts';
import { PAGE_WALKS } from './page_states.ts';
import { type PageState, PageVisit, type PageWalk, type Scene } from './page_visit.ts';

/** `npm run pages` names a folder: then each state is photographed, in every look and in two languages. */
const FOLDER = process.env.M2FA_PAGES;
// A walk has twenty states at most; to photograph each in five looks takes its time.
jest.setTimeout(FOLDER === undefined ? 120_000 : 1_200_000);

const LANGUAGES = ['en', 'de'] as const;
const WALKS = PAGE_WALKS.map((walk) => [walk.map(({ name }) => name).join(', '), walk] as const);

describeInBrowser('every state of every page', () => {
  const sheet = FOLDER === undefined ? undefined : new ContactSheet(FOLDER);
  let browser: Browser;
  let context: BrowserContext;
  let scene: Scene;
  let examiner: Examiner;
  const seen = new Set<unknown>();

  beforeAll(async () => {
    browser = await startBrowser();
    scene = await openScene();
    context = await browser.newContext({ locale: 'en' });
    examiner = await Examiner.open(browser, `${scene.app.url}/_2fa/help`);
  }, 60_000);

  afterAll(async () => {
    if (sheet !== undefined) process.stdout.write(`All pictures: ${sheet.write()}\n`);
    await browser.close();
    await scene.client.stop();
    await scene.app.stop();
  });

  async function arrive(language: string): Promise<PageVisit> {
    await context.clearCookies();
    const visit = new PageVisit(await context.newPage(), scene);
    await visit.choose(language);
    return visit;
  }

  /** What is wrong with the page as it is now. */
  async function look({ page }: PageVisit, state: PageState, language: string): Promise<string[]> {
    expect([state.name, await page.locator('html').getAttribute('lang')]).toEqual([state.name, language]);
    const text = await page.evaluate('document.body.innerText');
    // A state that was not reached looks like the one before it.
    expect([state.name, seen.has(text)]).toEqual([state.name, false]);
    seen.add(text);
    const found = await examiner.findings(page, { isWide: language === LANGUAGES[0] });
    await sheet?.photograph(page, state, language);
    return found.map((finding) => `${state.name}, ${language}, ${finding}`);
  }

  async function reached(state: PageState, visit: PageVisit): Promise<void> {
    try {
      await state.reach(visit);
      await visit.settled();
    } catch (error) {
      throw new Error(`${state.name} was not reached`, { cause: error });
    }
  }

  /** Each state in both languages: a reload shows it in the other one. */
  async function goOnce(walk: PageWalk): Promise<string[]> {
    const found: string[] = [];
    const visit = await arrive('en');
    for (const [n, state] of walk.entries()) {
      await reached(state, visit);
      const languages = n % 2 === 0 ? LANGUAGES : LANGUAGES.toReversed();
      for (const [turn, language] of languages.entries()) {
        if (turn > 0) {
          const before = await visit.outline();
          await visit.choose(language);
          await visit.page.reload();
          await visit.settled();
          expect([state.name, await visit.outline()]).toEqual([state.name, before]);
        }
        found.push(...(await look(visit, state, language)));
      }
    }
    await visit.page.close();
    return found;
  }

  /** Once more in the other language, where a reload would show something else. */
  async function goTwice(walk: PageWalk): Promise<string[]> {
    const found: string[] = [];
    for (const language of LANGUAGES) {
      const visit = await arrive(language);
      for (const state of walk) {
        await reached(state, visit);
        found.push(...(await look(visit, state, language)));
      }
      await visit.page.close();
    }
    return found;
  }

  test('each has a name of its own', () => {
    const names = PAGE_WALKS.flat().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('what is wrong is found, however light it is, in the look in which it is', async () => {
    const visit = await arrive('en');
    await visit.draw(
      () => html`<h1>One</h1><h3>Three</h3><a href="#" style="color: #666">grey</a>
<div style="width: 330px"><p><a href="#" style="display: block; height: 9px">x</a></p></div>
<p style="margin: 0"><a href="#" style="display: block; height: 9px">y</a></p><p style="margin: 0"><a href="#" style="display: block; height: 9px">z</a></p>`,
    );
    const found = await examiner.findings(visit.page, { isWide: true });
    for (const finding of [
      /^light: heading-order \(moderate\)/,
      /^light: target-size \(serious\)/,
      /^dark: color-contrast \(serious\)/,
      /^360 px: target-size \(serious\)/,
      /^320 px: the page is \d+ px wide/,
    ])
      expect(found).toContainEqual(expect.stringMatching(finding));
    await visit.page.close();
  });

  test.each(WALKS)(
    '%s: reached, in two languages, accessible in every look, and nothing is cut off on a phone',
    async (_names, walk) => {
      const isOnce = walk.some((state) => state.isOnce === true);
      expect(await (isOnce ? goTwice(walk) : goOnce(walk))).toEqual([]);
    },
  );
});
