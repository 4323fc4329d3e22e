import type { ClientRequest } from '../../http/client_request.ts';
import { programVersion } from '../../system/version.ts';
import { LANGUAGE_PARAMETER } from '../texts/language.ts';
import type { PageTexts, Say } from '../texts/texts.ts';
import type { Brand } from './brand.ts';
import type { Contact } from './contact.ts';
import { type Html, html } from './html.ts';

export const HELP = '/_2fa/help';
/** Where an account is recovered whose owner has no factor any more. */
export const RECOVER_PAGE = '/_2fa/recover';
const OWN_PAGES = '/_2fa/';
/** A login token in an address is good once: that page cannot be asked for again. */
const USED_UP = 'loginToken';

interface FooterParts {
  readonly request: ClientRequest;
  readonly say: Say;
  readonly brand: Brand;
  readonly contact: Contact | undefined;
  readonly texts: PageTexts;
  /** An error page says nothing of the address that led to it. */
  readonly isError: boolean;
}

/** The foot of every page: help, the operator, other languages. */
export function footer({ request, say, brand, contact, texts, isError }: FooterParts): Html {
  const isOwn = request.path.startsWith(OWN_PAGES);
  const links = [
    linkTo(say, HELP, say('shell.help')),
    isOwn && linkTo(say, '/_2fa/account', say('shell.account')),
    linkTo(say, contact?.href ?? `${HELP}#lost-all`, say('shell.contact')),
    brand.privacyUrl !== undefined && linkTo(say, brand.privacyUrl, say('shell.privacy')),
  ];
  const version = say('shell.version', { version: brand.showVersion ? programVersion() : '' }).trim();
  return html`<footer>
${links}${!isError && languageLinks(request, say, texts)}<span>${version}</span>
</footer>`;
}

/** In a tab of its own: a sign-in that is under way stays where it is. */
function linkTo(say: Say, href: string, text: string): Html {
  return html`<a href="${href}" target="_blank" rel="noopener">${text}<span class="visually-hidden"> ${say('shell.newTab')}</span></a>
`;
}

/** This page in the other languages. */
function languageLinks(request: ClientRequest, say: Say, texts: PageTexts): Html | undefined {
  const { method, path, query } = request;
  if (method !== 'GET' || query.has(USED_UP)) return undefined;
  const links = texts.languages
    .filter((tag) => tag !== say.language)
    .map((tag) => {
      const address = new URLSearchParams([...query, [LANGUAGE_PARAMETER, tag]]);
      if (query.has(LANGUAGE_PARAMETER)) address.set(LANGUAGE_PARAMETER, tag);
      return html`<a href="${path}?${address.toString()}" lang="${tag}" hreflang="${tag}">${nameOf(tag)}</a>
`;
    });
  if (links.length === 0) return undefined;
  return html`<nav aria-label="${say('shell.languages')}">${links}</nav>
`;
}

/** What a language calls itself. */
function nameOf(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}
