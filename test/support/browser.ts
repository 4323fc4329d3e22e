import { existsSync, mkdirSync } from 'node:fs';
import { describe } from '@jest/globals';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { until } from './until.ts';

/** Debian's place; `CHROMIUM` names another. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The same engine without windows, from a package of its own: the same tests take it half of the processor. */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a page may take for a step. Playwright's own half minute is short for a machine that does much else. */
const STEP_MS = 120_000;

/** Pictures of the pages, for people to look at; not kept in the repository. */
const ARTEFACTS = 'artefacts';

/**
 * Whether there is a browser. Where there is none, one line says that `what` is skipped; with `CI=true` the tests
 * run into their failure instead, so that no one believes they have run.
 */
export function hasBrowser(what: string): boolean {
  if (existsSync(CHROMIUM) || process.env.CI === 'true') return true;
  process.stdout.write(
    `${what}: skipped, because there is no Chromium at ${CHROMIUM} (set CHROMIUM to its path)\n`,
  );
  return false;
}

/** `describe` for tests in a real browser. */
export function describeInBrowser(name: string, tests: () => void): void {
  const suite = hasBrowser(name) ? describe : describe.skip;
  suite(name, tests);
}

/**
 * The browser that people have, without its windows: for walks from end to end.
 *
 * @throws Error if there is no Chromium
 */
export async function startWholeBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--headless=new', ...ARGUMENTS] });
}

/**
 * The lightest browser that is here, for many pages one after the other.
 *
 * @throws Error if there is no Chromium
 */
export async function startBrowser(): Promise<Browser> {
  if (process.env.CHROMIUM !== undefined || !existsSync(HEADLESS_SHELL)) return startWholeBrowser();
  return chromium.launch({ executablePath: HEADLESS_SHELL, args: ARGUMENTS });
}

/** A page in a profile of its own, in English and light unless said otherwise. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  return (await openContext(browser, { locale: 'en-GB', colorScheme: 'light', ...options })).newPage();
}

/** Tells what the browser complains about in a page and its popups: a blocked resource, an error in a script. */
export function onComplaint(page: Page, tell: (complaint: string) => void): void {
  page.on('pageerror', (error) => tell(error.message));
  page.on('console', (message) => {
    // Refusals are part of the play: the browser writes a line for each 4xx.
    if (message.type() === 'error' && !message.text().includes('status of 4')) tell(message.text());
  });
  page.on('popup', (popup) => onComplaint(popup, tell));
}

/**
 * Presses a button of a page whose scripts have run: one that runs between the look at the button and the click may switch it
 * off, as the confirmation of a sign-in does, and the click is lost.
 */
export async function press(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('load');
  await page.getByRole('button', { name, exact: true }).click();
}

/** A profile of its own, whose pages have time. */
export async function openContext(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(STEP_MS);
  return context;
}

/**
 * Waits until this JavaScript is true in the page. Playwright's own `waitForFunction` asks again by `eval`, which our pages
 * forbid: it fails unless it is so at the first look.
 */
export function untilSo(page: Page, expression: string): Promise<void> {
  // A page that is just being left cannot say.
  const look = () => page.evaluate(expression).catch(() => false);
  return until(
    async () => (await look()) === true,
    () => expression,
  );
}

/**
 * Pictures of the whole page as it is now: wide in both colour schemes, and 360 px wide. None in CI, where nobody looks at
 * them and they take a third of the time.
 */
export async function photograph(page: Page, name: string): Promise<void> {
  if (process.env.CI === 'true') return;
  mkdirSync(ARTEFACTS, { recursive: true });
  const before = page.viewportSize();
  const take = (kind: string) =>
    page.screenshot({ path: `${ARTEFACTS}/${name}-${kind}.png`, fullPage: true, animations: 'disabled' });
  await page.setViewportSize({ width: 1000, height: 700 });
  await page.emulateMedia({ colorScheme: 'light' });
  await take('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('dark');
  await page.setViewportSize({ width: 360, height: 700 });
  await take('dark-360');
  await page.emulateMedia({ colorScheme: 'light' });
  await take('light-360');
  if (before !== null) await page.setViewportSize(before);
}
