import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { copyOf, Examiner } from '../support/accessibility.ts';
import { describeInBrowser, openContext, startBrowser } from '../support/browser.ts';
import { ContactSheet } from './contact_sheet.ts';
import { type German, openScene } from './page_scene.ts';
import { PAGE_WALKS } from './page_states.ts';
import { type PageState, PageVisit, type PageWalk, type Scene } from './page_visit.ts';
import { ReadTexts } from './read_texts.ts';

/** `npm run pages` names a folder: then each state is photographed, in every look and in two languages, and in formal German. */
const FOLDER = process.env.M2FA_PAGES;
// To photograph each state of a walk in five looks takes its time.
if (FOLDER !== undefined) jest.setTimeout(1_200_000);

interface Pass {
  readonly german: German;
  /** Of which the first is looked at in a wide window, and another one on a phone. */
  readonly languages: readonly string[];
}

const USUAL: Pass = { german: 'du', languages: ['en', 'de'] };
const PASSES: readonly Pass[] =
  FOLDER === undefined ? [USUAL] : [USUAL, { german: 'sie', languages: ['de'] }];
const WALKS = PAGE_WALKS.map((walk) => [walk.map(({ name }) => name).join(', '), walk] as const);

const sheet = FOLDER === undefined ? undefined : new ContactSheet(FOLDER);

for (const { german, languages } of PASSES) {
  describeInBrowser(`every state of every page, ${german}`, () => {
    let browser: Browser;
    let context: BrowserContext;
    let scene: Scene;
    let examiner: Examiner;
    const seen = new Set<string>();
    const read = new ReadTexts();
    /** What is wrong with each page: they are examined while the walks go on. */
    const findings: Promise<readonly string[]>[] = [];

    beforeAll(async () => {
      browser = await startBrowser();
      scene = await openScene(german);
      context = await openContext(browser, { locale: 'en', viewport: { width: 1000, height: 700 } });
      examiner = await Examiner.open(browser, `${scene.app.url}/_2fa/help`);
    });

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

    /** Looks at the page as it is now. Answers what it consists of. */
    async function look({ page }: PageVisit, state: PageState, language: string): Promise<string> {
      const copy = await copyOf(page);
      // A state that was not reached looks like the one before it.
      const isNew = !seen.has(copy.text);
      expect([state.name, copy.language, isNew]).toEqual([state.name, language, true]);
      seen.add(copy.text);
      if (language === 'en') read.add(copy.words);
      await sheet?.photograph(page, { state, text: copy.text, language, german });
      // Those who photograph look themselves.
      if (sheet !== undefined) return copy.outline;
      const found = examiner
        .findings(copy, { isWide: language === languages[0] })
        .catch((error) => [String(error)]);
      findings.push(found.then((all) => all.map((finding) => `${state.name}, ${language}, ${finding}`)));
      return copy.outline;
    }

    async function reached(state: PageState, visit: PageVisit): Promise<void> {
      try {
        await state.reach(visit);
        await visit.settled(state);
      } catch (error) {
        throw new Error(`${state.name} was not reached`, { cause: error });
      }
    }

    /** Each state in both languages: a reload shows it in the other one. */
    async function goOnce(walk: PageWalk): Promise<void> {
      const visit = await arrive(languages[0] ?? 'en');
      for (const [n, state] of walk.entries()) {
        await reached(state, visit);
        // It stands in the language of the state before it.
        const inTurn = n % 2 === 0 ? languages : languages.toReversed();
        const outlines = new Set<string>();
        for (const [turn, language] of inTurn.entries()) {
          if (turn > 0) {
            await visit.choose(language);
            await visit.page.reload();
            await visit.settled(state);
          }
          outlines.add(await look(visit, state, language));
        }
        expect([state.name, ...outlines]).toEqual([state.name, expect.any(String)]);
      }
      await visit.page.close();
    }

    /** Once more in the other language, where a reload would show something else. */
    async function goTwice(walk: PageWalk): Promise<void> {
      for (const language of languages) {
        const visit = await arrive(language);
        for (const state of walk) {
          await reached(state, visit);
          await look(visit, state, language);
        }
        await visit.page.close();
      }
    }

    test('each has a name of its own', () => {
      const names = PAGE_WALKS.flat().map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    });

    test('what is wrong is found, however light it is, in the look in which it is', async () => {
      const visit = await arrive('en');
      await visit.open('/_2fa/login');
      const wrong = `<h1>One</h1><h3>Three</h3><a href="#" style="color: #666">grey</a>
<p style="width: 4rem; overflow-wrap: anywhere">Recoveries</p><div style="width: 330px"><p><a href="#" style="display: block; height: 9px">x</a></p></div>
<p style="margin: 0"><a href="#" style="display: block; height: 9px">y</a></p><p style="margin: 0"><a href="#" style="display: block; height: 9px">z</a></p>`;
      await visit.page.evaluate(
        `document.title = ''; document.querySelector('main').innerHTML = ${JSON.stringify(wrong)}`,
      );
      const found = await examiner.findings(await copyOf(visit.page), { isWide: true });
      for (const finding of [
        /^light: document-title \(serious\)/,
        /^light: heading-order \(moderate\)/,
        /^light: target-size \(serious\)/,
        /^dark: color-contrast \(serious\)/,
        /^360 px: target-size \(serious\)/,
        /^320 px: the page is \d+ px wide/,
        /^200 %: Recoveries is broken$/,
      ])
        expect(found).toContainEqual(expect.stringMatching(finding));
      await visit.page.close();
    });

    test.each(WALKS)('%s: reached, in two languages', async (_names, walk) => {
      const isOnce = walk.some((state) => state.isOnce === true);
      await (isOnce ? goTwice(walk) : goOnce(walk));
    });

    test('all of them are accessible in every look, and nothing is cut off on a phone', async () => {
      expect((await Promise.all(findings)).flat()).toEqual([]);
    });

    test('there is a state for every text of the pages', () => {
      expect(languages.includes('en') ? read.missing() : []).toEqual([]);
    });
  });
}
