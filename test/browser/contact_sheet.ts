import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { html } from '../../src/pages/shell/html.ts';
import type { PageState } from './page_visit.ts';

/** A way of looking at a page. */
interface Look {
  readonly kind: string;
  readonly width: number;
  readonly media: Parameters<Page['emulateMedia']>[0];
  readonly isMainOnly?: boolean;
}

const WIDE = 1000;
const PHONE = 360;
const PLAIN = { colorScheme: 'light', forcedColors: 'none' } as const;

const LOOKS: readonly Look[] = [
  { kind: 'light', width: WIDE, media: PLAIN },
  { kind: 'dark', width: WIDE, media: { ...PLAIN, colorScheme: 'dark' } },
  { kind: 'phone', width: PHONE, media: PLAIN },
  // A window of 1000 px at 200 % has room for 500.
  { kind: '200', width: WIDE / 2, media: PLAIN, isMainOnly: true },
  { kind: 'forced-colours', width: WIDE, media: { ...PLAIN, forcedColors: 'active' }, isMainOnly: true },
];

/** Pictures of all states, and a page with all of them side by side. */
export class ContactSheet {
  private readonly taken: { readonly state: PageState; readonly pictures: string[] }[] = [];

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** @param language of the page, which is told by the names of the pictures */
  async photograph(page: Page, state: PageState, language: string): Promise<void> {
    const pictures: string[] = [];
    for (const { kind, width, media, isMainOnly } of LOOKS) {
      if (isMainOnly && state.isMain !== true) continue;
      const name = `${state.name}-${language}-${kind}.png`;
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
