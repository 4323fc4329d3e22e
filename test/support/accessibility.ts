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

interface Media {
  readonly media: 'screen' | 'print';
  readonly colorScheme: 'light' | 'dark';
  readonly forcedColors: 'none' | 'active';
}

/** How a page is looked at. */
interface Look {
  readonly name: string;
  readonly width: number;
  readonly media: Media;
  /** The rules that are asked of what is new in a page. */
  readonly ofWhatIsNew: readonly string[];
  /** Whether the page has to fit. */
  readonly isTight?: boolean;
  /** Whether there is room for each word. */
  readonly hasRoom?: boolean;
}

const PLAIN: Media = { media: 'screen', colorScheme: 'light', forcedColors: 'none' };
const ON_PAPER: Media = { ...PLAIN, media: 'print' };
const WIDE = 'light';
const NARROW = '360 px';
/** In the order in which the window changes least. */
const LOOKS: readonly Look[] = [
  { name: WIDE, width: USUAL, media: PLAIN, ofWhatIsNew: OF_COLOUR, hasRoom: true },
  { name: 'dark', width: USUAL, media: { ...PLAIN, colorScheme: 'dark' }, ofWhatIsNew: OF_COLOUR },
  {
    name: 'forced colours',
    width: USUAL,
    media: { ...PLAIN, forcedColors: 'active' },
    ofWhatIsNew: OF_COLOUR,
  },
  {
    name: '200 %',
    width: ENLARGED,
    media: PLAIN,
    ofWhatIsNew: [...OF_COLOUR, ...OF_ROOM],
    isTight: true,
    hasRoom: true,
  },
  { name: NARROW, width: PHONE, media: PLAIN, ofWhatIsNew: [...OF_COLOUR, ...OF_ROOM], hasRoom: true },
  { name: '320 px', width: NARROWEST, media: PLAIN, ofWhatIsNew: [], isTight: true },
];

/** A page as it was at one moment. */
export interface PageCopy {
  readonly language: string;
  /** What its readers see. */
  readonly text: string;
  /** All its words, also those that are folded away, and those of its attributes. */
  readonly words: string;
  readonly markup: string;
  readonly isPrinted: boolean;
  /** Of its window. */
  readonly width: number;
}

/** Copies what is shown: attributes say what else only properties do. Scripts stay behind. Runs in the page. */
const COPY = `(() => {
  const root = document.documentElement;
  const copy = root.cloneNode(true);
  const originals = [...root.querySelectorAll('*')];
  const spoken = /^(?:aria-label|placeholder|alt|data-(?:done|known|failed|dated))$/;
  const words = [];
  [...copy.querySelectorAll('*')].forEach((element, n) => {
    const original = originals[n];
    words.push(...[...element.attributes].filter(({ name }) => spoken.test(name)).map(({ value }) => value));
    if (original.matches('input')) {
      element.setAttribute('value', original.value);
      element.toggleAttribute('checked', original.checked);
    }
    if (original.matches('dialog:modal')) element.setAttribute('data-is-modal', '');
  });
  for (const script of copy.querySelectorAll('script')) script.remove();
  return {
    language: root.lang,
    text: document.body.innerText,
    words: [copy.textContent, ...words].join(' '),
    markup: copy.outerHTML,
    isPrinted: matchMedia('print').matches,
    width: innerWidth,
  };
})()`;

export function copyOf(page: Page): Promise<PageCopy> {
  return page.evaluate<PageCopy>(COPY);
}

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

/** Long words whose letters stand in more than one line. */
const BROKEN = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const broken = new Set();
  while (texts.nextNode()) {
    // What is folded away has no room.
    if (!texts.currentNode.parentElement.checkVisibility()) continue;
    for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\p{L}{8,}/gu)) {
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.add(word);
    }
  }
  return [...broken];
})()`;

/** What axe looks at then. */
const FRESH = "{ include: [['[data-is-fresh]']] }";

/**
 * Looks at copies of pages, in one page that stays open: to bring axe into each page takes a second, and to look at a copy
 * of it much less. All rules are asked once of each page in each language; what its colours and its room come to is asked
 * of what is new in it, in the dark, in forced colours, enlarged and on a phone. One copy is looked at after the other,
 * while the page that it was made of goes on.
 */
export class Examiner {
  private last: Promise<unknown> = Promise.resolve();
  private width = USUAL;
  private media = PLAIN;

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
  findings(copy: PageCopy, { isWide }: { readonly isWide: boolean }): Promise<string[]> {
    const found = this.last.then(() => this.examine(copy, isWide));
    // The next one is looked at in any case.
    this.last = found.catch(() => undefined);
    return found;
  }

  private async examine({ markup, text, isPrinted, width }: PageCopy, isWide: boolean): Promise<string[]> {
    await this.show(width, isPrinted ? ON_PAPER : PLAIN);
    const copied = await this.desk.evaluate(`(${PASTE})(${JSON.stringify(markup)})`);
    if (copied !== text) throw new Error(`The copy says ${String(copied)}, the page ${text}`);
    const isNew = !isPrinted && Number(await this.desk.evaluate(MARK)) > 0;
    // Paper has no outline, but colours of its own.
    const rules = isPrinted ? { runOnly: OF_COLOUR } : { rules: rulesBut(OF_COLOUR) };
    const found: string[] = [];
    for (const each of LOOKS) {
      const look = isPrinted ? { ...each, media: ON_PAPER } : each;
      if (look.name === (isWide ? WIDE : NARROW)) found.push(...(await this.in(look, 'document', rules)));
      const ofWhatIsNew = { runOnly: look.ofWhatIsNew };
      if (isNew && look.ofWhatIsNew.length > 0) found.push(...(await this.in(look, FRESH, ofWhatIsNew)));
      if (look.isTight === true) found.push(...(await this.cutOff(look)));
      if (look.hasRoom === true) found.push(...(await this.broken(look)));
    }
    return found;
  }

  private async in({ name, width, media }: Look, where: string, which: object): Promise<string[]> {
    await this.show(width, media);
    const found = await this.ask(where, which);
    return found.map((finding) => `${name}: ${finding}`);
  }

  private async show(width: number, media: Media): Promise<void> {
    if (width !== this.width) await this.desk.setViewportSize({ width, height: HEIGHT });
    if (media !== this.media) await this.desk.emulateMedia(media);
    this.width = width;
    this.media = media;
  }

  private async ask(where: string, which: object): Promise<string[]> {
    const options = { resultTypes: ['violations'], reporter: 'no-passes', preload: false, ...which };
    return findingsIn(
      (await this.desk.evaluate(`axe.run(${where}, ${JSON.stringify(options)})`)) as AxeResults,
    );
  }

  /** Words that go on in the next line without a hyphen. */
  private async broken({ name, width, media }: Look): Promise<string[]> {
    await this.show(width, media);
    return (await this.desk.evaluate<string[]>(BROKEN)).map((word) => `${name}: ${word} is broken`);
  }

  /** That the page has to be scrolled sideways. */
  private async cutOff({ width, media }: Look): Promise<string[]> {
    await this.show(width, media);
    const needed = Number(await this.desk.evaluate('document.documentElement.scrollWidth'));
    return needed > width ? [`${width} px: the page is ${needed} px wide`] : [];
  }
}

/** All rules but some. */
function rulesBut(names: readonly string[]): object {
  return { ...ALSO, ...Object.fromEntries(names.map((name) => [name, { enabled: false }])) };
}
