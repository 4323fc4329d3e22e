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

/** What axe judges by colours alone: the same in every document for an element that looks the same. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];
/** Rules whose findings `seriousIn` leaves out, and that take a third of the time; their impact is in no public list of axe. */
const LIGHT_RULES =
  "axe._audit.rules.filter(({ impact }) => impact === 'minor' || impact === 'moderate').map(({ id }) => id)";
/** What depends on how much room there is for what a page says. */
const OF_ROOM = ['scrollable-region-focusable'];
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
 * Marks what has not been looked at yet: elements that differ, themselves or by what they stand in, in what the style of a
 * page can go by (its attributes but for words and addresses, and whether it holds text). Answers how many there are. To
 * find out the contrast of the same frame once more for each state takes half of the time of a test.
 */
const MARK = `(() => {
  const seen = (globalThis.seenLooks ??= new Set());
  const words = /^(?:id|for|name|value|href|src|action|title|placeholder|content|nonce|d|points|alt|datetime)$|^aria-(?:label|labelledby|describedby|controls)$/;
  let fresh = 0;
  const mark = (element, above) => {
    const attributes = [...element.attributes]
      .map(({ name, value }) => (words.test(name) ? name + (value === '' ? '' : '+') : name + '=' + value))
      .sort();
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    const look = [above, element.tagName, ...attributes, hasText].join(' ');
    if (!seen.has(look)) {
      seen.add(look);
      element.setAttribute('data-is-fresh', '');
      fresh += 1;
    }
    for (const child of element.children) mark(child, look);
  };
  mark(document.body, '');
  return fresh;
})()`;

/**
 * Looks at copies of pages, in one page that stays open: to bring axe into each page takes a second, and to look at a copy
 * of it much less. So what is new in each can be looked at in the dark, enlarged and in forced colours, too.
 */
export class Examiner {
  private constructor(
    private readonly desk: Page,
    private readonly notAsked: Readonly<Record<string, { readonly enabled: false }>>,
  ) {}

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
    const light = (await desk.evaluate(LIGHT_RULES)) as string[];
    if (light.length === 0) throw new Error('axe no longer says what a rule weighs');
    const notAsked = [...OF_COLOUR, ...light].map((rule) => [rule, { enabled: false }] as const);
    return new Examiner(desk, Object.fromEntries(notAsked));
  }

  /** What axe finds serious, by the look in which it is found. */
  async findings(page: Page): Promise<string[]> {
    const { desk } = this;
    const isPrinted = await page.evaluate("matchMedia('print').matches");
    await desk.emulateMedia({ media: isPrinted === true ? 'print' : 'screen' });
    const shown = await page.evaluate('document.body.innerText');
    const copied = await desk.evaluate(`(${PASTE})(${JSON.stringify(await page.evaluate(COPY))})`);
    if (copied !== shown) throw new Error(`The copy says ${String(copied)}, the page ${String(shown)}`);
    const found = await this.foundIn('light', 'document', { rules: this.notAsked });
    // On paper the same elements have other colours.
    const isFresh = isPrinted === true || Number(await desk.evaluate(MARK)) > 0;
    if (isFresh) found.push(...(await this.foundInColours(isPrinted === true)));
    await desk.setViewportSize(ENLARGED);
    found.push(...(await this.foundIn('200 %', 'document', { runOnly: OF_ROOM })));
    if (isFresh) found.push(...(await this.colours('200 %', isPrinted === true)));
    await desk.setViewportSize(USUAL);
    return found;
  }

  private async foundInColours(isWhole: boolean): Promise<string[]> {
    const { desk } = this;
    const found = await this.colours('light', isWhole);
    await desk.emulateMedia({ colorScheme: 'dark' });
    found.push(...(await this.colours('dark', isWhole)));
    await desk.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    found.push(...(await this.colours('forced colours', isWhole)));
    await desk.emulateMedia({ forcedColors: 'none' });
    return found;
  }

  private colours(look: string, isWhole: boolean): Promise<string[]> {
    const where = isWhole ? 'document' : "{ include: [['[data-is-fresh]']] }";
    return this.foundIn(look, where, { runOnly: OF_COLOUR });
  }

  private async foundIn(look: string, where: string, which: object): Promise<string[]> {
    const options = { resultTypes: ['violations'], preload: false, ...which };
    const results = await this.desk.evaluate(`axe.run(${where}, ${JSON.stringify(options)})`);
    return seriousIn(results as AxeResults).map((finding) => `${look}: ${finding}`);
  }
}
