import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe finds wrong with the page as it is now, serious or worse: rule and elements. The source comes in past the
 * page's content security policy, as from a debugger.
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(SOURCE);
  return seriousIn((await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as AxeResults);
}

function seriousIn({ violations }: AxeResults): string[] {
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/** What looks different in other colours or in less room; all else axe has seen by then. */
const OF_LOOK = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable'];
/** One of 1000 px at 200 %. */
const ENLARGED = { width: 500, height: 400 };
const USUAL = { width: 1000, height: 700 };

/** Copies what is shown: attributes say what else only properties do. Runs in the page. */
const COPY = `(() => {
  const copy = document.documentElement.cloneNode(true);
  const originals = [...document.documentElement.querySelectorAll('*')];
  [...copy.querySelectorAll('*')].forEach((element, n) => {
    const original = originals[n];
    if (original.matches('input')) {
      element.setAttribute('value', original.value);
      element.toggleAttribute('checked', original.checked);
    }
    if (original.matches('dialog:modal')) element.setAttribute('data-is-modal', '');
  });
  return copy.outerHTML;
})()`;

/** Puts a copy in the place of the document, whose scripts do not run there, and answers the text of the page. */
const PASTE = `async (markup) => {
  const { documentElement } = new DOMParser().parseFromString(markup, 'text/html');
  document.documentElement.replaceWith(documentElement);
  const styles = [...document.querySelectorAll('link[rel="stylesheet"]')];
  await Promise.all(styles.map((link) => link.sheet ?? new Promise((load) => link.addEventListener('load', load))));
  for (const dialog of document.querySelectorAll('dialog[data-is-modal]')) {
    dialog.removeAttribute('open');
    dialog.showModal();
  }
  return document.body.innerText;
}`;

/**
 * Looks at copies of pages, in one page that stays open: to bring axe into each page takes a second, and to look at a copy
 * of it much less. So each can be looked at in the dark, enlarged and in forced colours, too.
 */
export class Examiner {
  private constructor(private readonly desk: Page) {}

  /** @param address a page of the server, whose styles copies load */
  static async open(browser: Browser, address: string): Promise<Examiner> {
    const desk = await browser.newPage({
      viewport: USUAL,
      // The styles of copies do not have the nonce of the page.
      bypassCSP: true,
      // Colours change at once.
      reducedMotion: 'reduce',
    });
    await desk.goto(address);
    await desk.evaluate(SOURCE);
    return new Examiner(desk);
  }

  /** What axe finds serious, by the look in which it is found. */
  async findings(page: Page): Promise<string[]> {
    const { desk } = this;
    const isPrinted = await page.evaluate("matchMedia('print').matches");
    await desk.emulateMedia({ media: isPrinted === true ? 'print' : 'screen' });
    const shown = await page.evaluate('document.body.innerText');
    const copied = await desk.evaluate(`(${PASTE})(${JSON.stringify(await page.evaluate(COPY))})`);
    if (copied !== shown) throw new Error(`The copy says ${String(copied)}, the page ${String(shown)}`);
    const found = await this.foundIn('light');
    await desk.emulateMedia({ colorScheme: 'dark' });
    found.push(...(await this.foundIn('dark', OF_LOOK)));
    await desk.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    found.push(...(await this.foundIn('forced colours', OF_LOOK)));
    await desk.emulateMedia({ forcedColors: 'none' });
    await desk.setViewportSize(ENLARGED);
    found.push(...(await this.foundIn('200 %', OF_LOOK)));
    await desk.setViewportSize(USUAL);
    return found;
  }

  private async foundIn(look: string, rules?: readonly string[]): Promise<string[]> {
    const options = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) };
    const results = await this.desk.evaluate(`axe.run(${JSON.stringify(options)})`);
    return seriousIn(results as AxeResults).map((finding) => `${look}: ${finding}`);
  }
}
