import { SupportContact } from '../../homeserver/support_contact.ts';
import { SessionCookie } from '../../pages/account/session_cookie.ts';
import { FormPages } from '../../pages/forms/form_pages.ts';
import { FormProblems } from '../../pages/forms/form_problems.ts';
import { FormTokens } from '../../pages/forms/form_tokens.ts';
import { Assets } from '../../pages/shell/assets.ts';
import { brandOf } from '../../pages/shell/brand.ts';
import { contactAt, contactOf } from '../../pages/shell/contact.ts';
import { PageShell } from '../../pages/shell/page.ts';
import { pageTexts } from '../../pages/texts/own_texts.ts';
import { systemPause } from '../../system/pause.ts';
import type { SharedServices } from './shared.ts';

/** What pages are drawn with, and what the forms on them share. */
export type PageTools = ReturnType<typeof pageTools>;

export function pageTools(shared: SharedServices) {
  const { config, vault, random, log } = shared;
  const { publicBaseUrl } = config;
  const brand = brandOf(config.brand);
  const assets = new Assets(brand.logo);
  const support = new SupportContact(config.homeserver.url, log);
  const { helpUrl } = config.brand;
  const contact = () => (helpUrl === undefined ? contactOf(support.current()) : contactAt(helpUrl));
  const texts = pageTexts(config.brand);
  const shell = new PageShell({ brand, assets, random, texts, publicBaseUrl, contact });
  const formTokens = new FormTokens(vault, random, publicBaseUrl);
  return {
    ...{ assets, brand, contact, formTokens, shell },
    pages: new FormPages(shell, formTokens, log),
    cookie: new SessionCookie(publicBaseUrl),
    problems: new FormProblems(shared),
    visiting: { ...shared, tokens: formTokens, pause: systemPause },
    // The operator says it themselves: then no one else is asked.
    support: helpUrl === undefined ? support : undefined,
  };
}
