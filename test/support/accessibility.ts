import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A rule of WCAG 2.2 that axe asks only where it is told to. */
const ALSO = { 'target-size': { enabled: true } };

/**
 * What axe finds wrong with the page as it is now, of whatever weight: rule and elements. The source comes in past the
 * page's content security policy, as from a debugger.
 */
export async function findings(page: Page): Promise<string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(SOURCE);
  const options = { resultTypes: ['violations'], rules: ALSO };
  return findingsIn((await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults);
}

function findingsIn({ violations }: AxeResults): string[] {
  return violations.map(
    ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html).join(' | ')}`,
  );
}

/** What axe judges by colours alone: the same in every document for an element that looks the same. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];
/** What depends on how much room there is for what a page says. */
const OF_ROOM = ['scrollable-region-focusable', 'target-size'];

const HEIGHT = 700;
const USUAL = 1000;
/** A window of 1000 px at 200 %. */
const ENLARGED = 500;
const PHONE = 360;
/** The narrowest, also one of 1280 px at 400 % (WCAG 2.2, 1.4.10). */
const NARROWEST = 320;

/** How a page is looked at. */
interface Look {
  readonly name: string;
  readonly width: number;
  readonly media?: Parameters<Page['emulateMedia']>[0];
}

const PLAIN = { colorScheme: 'light', forcedColors: 'none' } as const;
const LIGHT: Look = { name: 'light', width: USUAL };
const ON_PHONE: Look = { name: '360 px', width: PHONE };
/** What is new in a page is looked at in each of them. */
const OTHERS: readonly Look[] = [
  { name: 'dark', width: USUAL, media: { ...PLAIN, colorScheme: 'dark' } },
  { name: 'forced colours', width: USUAL, media: { ...PLAIN, forcedColors: 'active' } },
  { name: '200 %', width: ENLARGED },
  ON_PHONE,
];

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
 * of it much less. All rules are asked once of each page in each language; what its colours and its room come to is asked
 * of what is new in it, in the dark, in forced colours, enlarged and on a phone.
 */
export class Examiner {
  private constructor(private readonly desk: Page) {}

  /** @param address a page of the server, whose styles copies load */
  static async open(browser: Browser, address: string): Promise<Examiner> {
    const desk = await browser.newPage({
      viewport: { width: USUAL, height: HEIGHT },
      // The styles of copies do not have the nonce of the page.
      bypassCSP: true,
      // Colours change at once.
      reducedMotion: 'reduce',
    });
    await desk.goto(address);
    await desk.evaluate(SOURCE);
    return new Examiner(desk);
  }

  /**
   * What axe finds, of whatever weight, and what is cut off, by the look in which it is found.
   * @param isWide whether all rules are asked in a wide window; else on a phone, where words have least room
   */
  async findings(page: Page, { isWide }: { readonly isWide: boolean }): Promise<string[]> {
    const { desk } = this;
    const isPrinted = (await page.evaluate("matchMedia('print').matches")) === true;
    await desk.emulateMedia({ media: isPrinted ? 'print' : 'screen' });
    await desk.setViewportSize(page.viewportSize() ?? { width: USUAL, height: HEIGHT });
    const shown = await page.evaluate('document.body.innerText');
    const copied = await desk.evaluate(`(${PASTE})(${JSON.stringify(await page.evaluate(COPY))})`);
    if (copied !== shown) throw new Error(`The copy says ${String(copied)}, the page ${String(shown)}`);
    const found: string[] = [];
    const ruled = isWide ? LIGHT : ON_PHONE;
    // Paper has no outline, but colours of its own.
    const rules = isPrinted ? { runOnly: OF_COLOUR } : { rules: rulesBut(OF_COLOUR) };
    found.push(...(await this.in(ruled, () => this.ask('document', rules))));
    if (!isPrinted && Number(await desk.evaluate(MARK)) > 0) found.push(...(await this.ofWhatIsNew()));
    for (const width of [ENLARGED, NARROWEST]) found.push(...(await this.cutOffAt(width)));
    await desk.setViewportSize({ width: USUAL, height: HEIGHT });
    return found;
  }

  private async ofWhatIsNew(): Promise<string[]> {
    const where = "{ include: [['[data-is-fresh]']] }";
    const found = await this.in(LIGHT, () => this.ask(where, { runOnly: OF_COLOUR }));
    for (const look of OTHERS) {
      const runOnly = look.media === undefined ? [...OF_COLOUR, ...OF_ROOM] : OF_COLOUR;
      found.push(...(await this.in(look, () => this.ask(where, { runOnly }))));
    }
    return found;
  }

  private async in({ name, width, media }: Look, ask: () => Promise<string[]>): Promise<string[]> {
    await this.desk.setViewportSize({ width, height: HEIGHT });
    if (media !== undefined) await this.desk.emulateMedia(media);
    const found = await ask();
    if (media !== undefined) await this.desk.emulateMedia(PLAIN);
    return found.map((finding) => `${name}: ${finding}`);
  }

  private async ask(where: string, which: object): Promise<string[]> {
    const options = { resultTypes: ['violations'], preload: false, ...which };
    return findingsIn(
      (await this.desk.evaluate(`axe.run(${where}, ${JSON.stringify(options)})`)) as AxeResults,
    );
  }

  /** That the page has to be scrolled sideways. */
  private async cutOffAt(width: number): Promise<string[]> {
    await this.desk.setViewportSize({ width, height: HEIGHT });
    const needed = Number(await this.desk.evaluate('document.documentElement.scrollWidth'));
    return needed > width ? [`${width} px: the page is ${needed} px wide`] : [];
  }
}

/** All rules but some. */
function rulesBut(names: readonly string[]): object {
  return { ...ALSO, ...Object.fromEntries(names.map((name) => [name, { enabled: false }])) };
}
