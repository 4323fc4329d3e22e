import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { type RandomSource, randomId } from '../../system/random.ts';
import { choiceCookie, languageFor } from '../texts/language.ts';
import type { PageTexts, Say } from '../texts/texts.ts';
import type { Assets } from './assets.ts';
import type { Brand } from './brand.ts';
import type { FindContact } from './contact.ts';
import { footer } from './footer.ts';
import { type Html, html } from './html.ts';

/** One page, without what all pages have in common. */
export interface Page {
  /** Stands in the title bar; the body brings its own `h1`. */
  readonly title: string;
  /** Whose answer it is: the reader's language follows from it. */
  readonly request: ClientRequest;
  /** What stands in the middle; usually one or more `<section class="card">`. */
  readonly body: Html;
  /** A module under `src/pages/assets/`, e.g. `account.js`. Pages should be usable without, where they can. */
  readonly script?: string;
  /** 200 by default. */
  readonly status?: number;
  /** Room for lists and tables, or for reading; narrow by default, as for a form. */
  readonly width?: 'wide' | 'medium';
}

export interface PageShellDeps {
  readonly brand: Brand;
  readonly assets: Assets;
  readonly random: RandomSource;
  readonly texts: PageTexts;
  /** What browsers see. */
  readonly publicBaseUrl: string;
  readonly contact: FindContact;
}

/** What all pages have in common: the document, the brand, the style sheet, the headers. */
export class PageShell {
  constructor(private readonly deps: PageShellDeps) {}

  /** How the operator's server is called. */
  get server(): string {
    return this.deps.brand.name;
  }

  /** The texts in the language of the reader. */
  sayFor(request: ClientRequest): Say {
    const { texts } = this.deps;
    return texts.in(languageFor(request, texts));
  }

  /** The whole page as an answer, with a nonce of its own. */
  renderPage(page: Page): Answer {
    const { random, texts, publicBaseUrl } = this.deps;
    const nonce = randomId(random, 128);
    const say = this.sayFor(page.request);
    const cookie = choiceCookie(page.request, texts, publicBaseUrl);
    return {
      status: page.status ?? 200,
      headers: {
        ...pageHeaders(nonce),
        'Content-Language': say.language,
        ...(cookie !== undefined && { 'Set-Cookie': cookie }),
      },
      sameOrigin: true,
      body: Buffer.from(this.document(page, say, nonce).toString()),
    };
  }

  private document(page: Page, say: Say, nonce: string): Html {
    const { brand, assets, texts, contact } = this.deps;
    const parts = {
      request: page.request,
      say,
      brand,
      texts,
      contact: contact(),
      isError: (page.status ?? 200) >= 400,
    };
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
<body${page.width !== undefined && html` class="${page.width}"`}>
<a class="skip" href="#main">${say('shell.skip')}</a>
<header class="masthead">
${mark(brand, assets)}
<strong>${brand.name}</strong>
</header>
<main id="main" tabindex="-1">
${page.body}
</main>
${footer(parts)}
</body>
</html>
`;
  }
}

/** The operator's picture, else the first letter of their name. */
function mark({ logo, name }: Brand, assets: Assets): Html {
  return logo === undefined
    ? html`<span class="mark" aria-hidden="true">${[...name][0] ?? ''}</span>`
    : html`<img src="${assets.url('logo')}" alt="" width="32" height="32">`;
}

/**
 * The headers of every page (attack 65). There is no Cross-Origin-Opener-Policy, because a client waits for its
 * popup, and no `form-action`, because it also judges the redirect back to a client's own scheme.
 *
 * @param nonce marks the style sheet and the scripts of this one answer. Not `'self'`: the homeserver's media
 *   stand on the same origin, and anyone may upload a script there
 */
export function pageHeaders(nonce: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': [
      'camera=()',
      'geolocation=()',
      'microphone=()',
      'publickey-credentials-create=(self)',
      'publickey-credentials-get=(self)',
    ].join(', '),
    'X-Robots-Tag': 'noindex',
  };
}
