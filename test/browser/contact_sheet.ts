import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { html } from '../../src/pages/shell/html.ts';
import type { German } from './page_scene.ts';
import type { PageState } from './page_visit.ts';

/** A way of looking at a page. */
interface Look {
  readonly kind: string;
  readonly width: number;
  readonly media: Parameters<Page['emulateMedia']>[0];
  readonly isMainOnly?: boolean;
  /** In which formal German is photographed, too. */
  readonly isFormal?: boolean;
}

const WIDE = 1000;
const PHONE = 360;
const PLAIN = { colorScheme: 'light', forcedColors: 'none' } as const;

const LOOKS: readonly Look[] = [
  { kind: 'light', width: WIDE, media: PLAIN, isFormal: true },
  { kind: 'dark', width: WIDE, media: { ...PLAIN, colorScheme: 'dark' } },
  { kind: 'phone', width: PHONE, media: PLAIN, isFormal: true },
  // A window of 1000 px at 200 % has room for 500.
  { kind: '200', width: WIDE / 2, media: PLAIN, isMainOnly: true },
  { kind: 'forced-colours', width: WIDE, media: { ...PLAIN, forcedColors: 'active' }, isMainOnly: true },
];

/** Words by which a page addresses its reader formally. */
const FORMAL = /\b(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)\b/;

/** A page as it is photographed. */
interface Sitting {
  readonly state: PageState;
  readonly text: string;
  readonly language: string;
  readonly german: German;
}

/** Pictures of all states, and a page with all of them side by side. */
export class ContactSheet {
  private readonly taken: { readonly state: PageState; readonly pictures: string[] }[] = [];

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** In every look; of formal German the pages that address someone. */
  async photograph(page: Page, { state, text, language, german }: Sitting): Promise<void> {
    const isFormal = german === 'sie';
    if (isFormal && !FORMAL.test(text)) return;
    const pictures: string[] = [];
    for (const { kind, width, media, ...look } of LOOKS) {
      if (isFormal ? look.isFormal !== true : look.isMainOnly === true && state.isMain !== true) continue;
      const name = `${state.name}-${language}-${isFormal ? 'sie-' : ''}${kind}.png`;
      await page.setViewportSize({ width, height: 700 });
      await page.emulateMedia(media);
      await page.screenshot({ path: join(this.folder, name), fullPage: true, animations: 'disabled' });
      pictures.push(name);
    }
    await page.emulateMedia(PLAIN);
    await page.setViewportSize({ width: WIDE, height: 700 });
    this.taken.push({ state, pictures });
  }

  /** Writes `index.html`; its path. */
  write(): string {
    const rows = this.taken.map(
      ({ state, pictures }) => html`<h2>${state.name}</h2><p>${state.says}</p><div>
${pictures.map((name) => html`<figure><a href="${name}"><img src="${name}" alt="${name}" loading="lazy"></a><figcaption>${name}</figcaption></figure>`)}
</div>`,
    );
    const file = join(this.folder, 'index.html');
    writeFileSync(
      file,
      `<!doctype html>\n${html`<html lang="en"><meta charset="utf-8"><title>All pages</title>
<style>body { font: 1rem system-ui; margin: 2rem } div { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }
figure { margin: 0; width: 20rem } img { width: 100%; border: 1px solid }</style>
<h1>All pages in all their states</h1>
${rows}
</html>`}\n`,
    );
    return file;
  }
}
