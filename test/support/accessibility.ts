import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Frame, Page } from 'playwright-core';
import { openContext } from './browser.ts';

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

function findingsIn({ violations }: Pick<AxeResults, 'violations'>): string[] {
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
const DARK: Media = { ...PLAIN, colorScheme: 'dark' };
const FORCED: Media = { ...PLAIN, forcedColors: 'active' };
const ON_PAPER: Media = { ...PLAIN, media: 'print' };
const WIDE = 'light';
const NARROW = '360 px';
const LOOKS: readonly Look[] = [
  { name: WIDE, width: USUAL, media: PLAIN, ofWhatIsNew: OF_COLOUR, hasRoom: true },
  { name: 'dark', width: USUAL, media: DARK, ofWhatIsNew: OF_COLOUR },
  { name: 'forced colours', width: USUAL, media: FORCED, ofWhatIsNew: OF_COLOUR },
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
  /** What it consists of, in whatever words. */
  readonly outline: string;
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
    outline: [...root.querySelectorAll('main *')]
      .map((each) => each.tagName + '.' + (each.getAttribute('class') ?? ''))
      .join(' '),
    isPrinted: matchMedia('print').matches,
    width: innerWidth,
  };
})()`;

export function copyOf(page: Page): Promise<PageCopy> {
  return page.evaluate<PageCopy>(COPY);
}

/**
 * Marks what has not been looked at yet: elements that differ, themselves or by what they stand in, in what the style of a
 * page can go by (its attributes but for words and addresses, and whether it holds text). Answers how many there are. To
 * find out the contrast of the same frame once more for each state takes half of the time of a test.
 */
const MARK = `() => {
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
}`;

/** Gives the frame a width. What is asked for next has that layout. */
const RESIZE = `(width) => {
  frameElement.style.width = width + 'px';
  if (innerWidth !== width) throw new Error('The frame is ' + innerWidth + ' px wide, not ' + width);
}`;

/** Puts a copy in the place of the document, whose scripts do not run there, and answers the text of the page. */
const PASTE = `async ({ markup, width, isPrinted }) => {
  const { documentElement } = new DOMParser().parseFromString(markup, 'text/html');
  document.documentElement.replaceWith(documentElement);
  (${RESIZE})(width);
  const styles = [...document.querySelectorAll('link[rel="stylesheet"]')];
  await Promise.all(styles.map((link) => link.sheet ?? new Promise((load) => link.addEventListener('load', load))));
  for (const dialog of document.querySelectorAll('dialog[data-is-modal]')) {
    dialog.removeAttribute('open');
    dialog.showModal();
  }
  return { text: document.body.innerText, fresh: isPrinted ? 0 : (${MARK})() };
}`;

/** Long words whose letters stand in more than one line. */
const BROKEN = `() => {
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
}`;

/** Looks at the copy in one width after the other, all in the same media, and answers what was found in each. */
const EXAMINE = `async ({ media, looks }) => {
  if (!matchMedia(media).matches) throw new Error('The media are not ' + media);
  const seen = [];
  for (const { name, width, asks, isTight, hasRoom } of looks) {
    (${RESIZE})(width);
    const violations = [];
    for (const { where, options } of asks) violations.push(...(await axe.run(where ?? document, options)).violations);
    const needed = isTight ? document.documentElement.scrollWidth : 0;
    seen.push({ name, width, violations, needed, broken: hasRoom ? (${BROKEN})() : [] });
  }
  return seen;
}`;

/** A frame without a source is of the origin of its page, and as it is no page of ours may stand in it. */
const FRAME = `() =>
  new Promise((load) => {
    const frame = document.createElement('iframe');
    frame.srcdoc = '<!doctype html>';
    frame.style = 'display: block; border: 0; height: ${HEIGHT}px; color-scheme: light dark';
    frame.addEventListener('load', () => load());
    document.documentElement.replaceChildren(document.createElement('body'));
    document.body.append(frame);
  })`;

/** What axe looks at where only what is new is asked for; else the whole document. */
const FRESH = { include: [['[data-is-fresh]']] };

/** Of what was found only what is wrong. */
const BRIEFLY = { resultTypes: ['violations'], reporter: 'no-passes', preload: false };

/** What is asked of axe. */
interface Asked {
  readonly where?: typeof FRESH;
  readonly options: object;
}

/** What was seen in a look. */
interface Seen extends Pick<AxeResults, 'violations'>, Pick<Look, 'name' | 'width'> {
  /** How wide it would have to be, where that is asked. */
  readonly needed: number;
  readonly broken: readonly string[];
}

/**
 * Looks at copies of pages, in one page that stays open: to bring axe into each page takes a second, and to look at a copy
 * of it much less. The copies stand in a frame: to give that another width takes a tenth of what it takes to give one to a
 * window. All rules are asked once of each page in each language; what its colours and its room come to is asked of what
 * is new in it, in the dark, in forced colours, enlarged and on a phone. One copy is looked at after the other, while the
 * page that it was made of goes on.
 */
export class Examiner {
  private last: Promise<unknown> = Promise.resolve();
  private media = PLAIN;

  private constructor(
    private readonly page: Page,
    private readonly desk: Frame,
  ) {}

  /** @param address a page of the server, whose styles copies load */
  static async open(browser: Browser, address: string): Promise<Examiner> {
    const context = await openContext(browser, {
      viewport: { width: USUAL, height: HEIGHT },
      // The styles of copies do not have the nonce of the page.
      bypassCSP: true,
      // Colours change at once.
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.goto(address);
    await page.evaluate(`(${FRAME})()`);
    const desk = page.frames().find((frame) => frame.parentFrame() !== null);
    if (desk === undefined) throw new Error('there is no frame');
    await desk.evaluate(SOURCE);
    return new Examiner(page, desk);
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
    await this.show(isPrinted ? ON_PAPER : PLAIN);
    const copied = await this.desk.evaluate<{ text: string; fresh: number }>(
      `(${PASTE})(${JSON.stringify({ markup, width, isPrinted })})`,
    );
    if (copied.text !== text) throw new Error(`The copy says ${copied.text}, the page ${text}`);
    const found: string[] = [];
    for (const media of isPrinted ? [ON_PAPER] : [PLAIN, DARK, FORCED]) {
      const looks = LOOKS.filter((look) => isPrinted || look.media === media).map((look) => ({
        ...look,
        asks: asksIn(look, { isPrinted, isNew: copied.fresh > 0, isWide }),
      }));
      const asked = looks.filter(({ asks, isTight, hasRoom }) => asks.length > 0 || isTight || hasRoom);
      if (asked.length > 0) found.push(...(await this.look(media, asked)));
    }
    return found;
  }

  private async look(media: Media, looks: readonly object[]): Promise<string[]> {
    await this.show(media);
    const asked = JSON.stringify({ media: queryOf(media), looks });
    const seen = await this.desk.evaluate<readonly Seen[]>(`(${EXAMINE})(${asked})`);
    return seen.flatMap(foundIn);
  }

  private async show(media: Media): Promise<void> {
    if (media !== this.media) await this.page.emulateMedia(media);
    this.media = media;
  }
}

/** What is asked of axe in a look. */
function asksIn(
  { name, ofWhatIsNew }: Look,
  {
    isPrinted,
    isNew,
    isWide,
  }: { readonly isPrinted: boolean; readonly isNew: boolean; readonly isWide: boolean },
): Asked[] {
  const asks: Asked[] = [];
  // Paper has no outline, but colours of its own.
  const rules = isPrinted ? { runOnly: OF_COLOUR } : { rules: rulesBut(OF_COLOUR) };
  if (name === (isWide ? WIDE : NARROW)) asks.push({ options: { ...BRIEFLY, ...rules } });
  if (isNew && ofWhatIsNew.length > 0)
    asks.push({ where: FRESH, options: { ...BRIEFLY, runOnly: ofWhatIsNew } });
  return asks;
}

function foundIn({ name, width, violations, needed, broken }: Seen): string[] {
  return [
    ...findingsIn({ violations }).map((finding) => `${name}: ${finding}`),
    // The page has to be scrolled sideways.
    ...(needed > width ? [`${width} px: the page is ${needed} px wide`] : []),
    // Words go on in the next line without a hyphen.
    ...broken.map((word) => `${name}: ${word} is broken`),
  ];
}

function queryOf({ media, colorScheme, forcedColors }: Media): string {
  return `${media} and (prefers-color-scheme: ${colorScheme}) and (forced-colors: ${forcedColors})`;
}

/** All rules but some. */
function rulesBut(names: readonly string[]): object {
  return { ...ALSO, ...Object.fromEntries(names.map((name) => [name, { enabled: false }])) };
}
