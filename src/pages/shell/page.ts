import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { type RandomSource, randomId } from '../../system/random.ts';
import { pickLanguage } from '../texts/language.ts';
import type { PageTexts, Say } from '../texts/texts.ts';
import type { Assets } from './assets.ts';
import type { Brand } from './brand.ts';
import { type Html, html } from './html.ts';
import { pageHeaders } from './page_headers.ts';

/** One page, without what all pages have in common. */
export interface Page {
  /** Stands in the title bar; the body brings its own `h1`. */
  readonly title: string;
  /** The texts for its reader: `PageShell.sayFor`. */
  readonly say: Say;
  /** What stands in the middle; usually one or more `<section class="card">`. */
  readonly body: Html;
  /** A module under `src/pages/assets/`, e.g. `account.js`. Pages should be usable without, where they can. */
  readonly script?: string;
  /** 200 by default. */
  readonly status?: number;
  /** Room for lists and tables; narrow by default, as for a form. */
  readonly wide?: boolean;
}

/** What all pages have in common: the document, the brand, the style sheet, the headers. */
export class PageShell {
  constructor(
    private readonly brand: Brand,
    private readonly assets: Assets,
    private readonly random: RandomSource,
    private readonly texts: PageTexts,
  ) {}

  /** The texts in the language of the reader. */
  sayFor(request: ClientRequest): Say {
    return this.texts.in(pickLanguage(request.headers['accept-language']));
  }

  /** The whole page as an answer, with a nonce of its own. */
  renderPage(page: Page): Answer {
    const nonce = randomId(this.random, 128);
    return {
      status: page.status ?? 200,
      headers: { ...pageHeaders(nonce), 'Content-Language': page.say.language },
      sameOrigin: true,
      body: Buffer.from(this.document(page, nonce).toString()),
    };
  }

  private document(page: Page, nonce: string): Html {
    const { brand, assets } = this;
    const { say } = page;
    return html`<!doctype html>
<html lang="${say.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${page.title} · ${brand.name}</title>
<link rel="icon" href="${assets.url(brand.logo === undefined ? 'icon.svg' : 'logo')}">
<link rel="stylesheet" href="${assets.url('page.css')}" nonce="${nonce}">
<style nonce="${nonce}">:root{--brand:${brand.colour};--on-brand:${brand.onColour}}</style>
${page.script !== undefined && html`<script type="module" src="${assets.url(page.script)}" nonce="${nonce}"></script>`}
</head>
<body${page.wide === true && html` class="wide"`}>
<a class="skip" href="#main">${say('shell.skip')}</a>
<header class="masthead">
<img src="${assets.url(brand.logo === undefined ? 'icon.svg' : 'logo')}" alt="" width="36" height="36">
<span>${brand.name}</span>
</header>
<main id="main" tabindex="-1">
${page.body}
</main>
${brand.helpUrl !== undefined && html`<footer><a href="${brand.helpUrl}" target="_blank" rel="noopener">${say('shell.contact')} ${say('shell.newTab')}</a></footer>`}
</body>
</html>
`;
  }
}
