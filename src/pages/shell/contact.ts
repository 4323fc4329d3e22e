import type { NamedSupport } from '../../homeserver/support_contact.ts';
import type { Say } from '../texts/texts.ts';
import { type Html, html, htmlIn } from './html.ts';

/** Who helps people that have lost everything. */
export interface Contact {
  /** As people read it. */
  readonly text: string;
  /** `https:` or `mailto:`; undefined for an address without a link, such as a Matrix id. */
  readonly href: string | undefined;
}

/** Where to ask for the contact of the moment; undefined if none is known. */
export type FindContact = () => Contact | undefined;

/** The contact behind an address of the operator, without what people do not read. */
export function contactAt(href: string): Contact {
  const { protocol, host, pathname } = new URL(href);
  const text = protocol === 'mailto:' ? pathname : `${host}${pathname === '/' ? '' : pathname}`;
  return { href, text };
}

/** The contact that the homeserver names. */
export function contactOf(named: NamedSupport | undefined): Contact | undefined {
  if (named === undefined) return undefined;
  return 'href' in named ? contactAt(named.href) : { text: named.userId, href: undefined };
}

/** The sentence that leads people to the operator. */
export function contactText(say: Say, contact: Contact | undefined, server: string): Html {
  if (contact === undefined) return html`${say('contact.unknown', { server })}`;
  const { href, text } = contact;
  return htmlIn(say.form('contact.known'), {
    contact:
      href === undefined ? html`<bdi>${text}</bdi>` : html`<a href="${href}" rel="noopener">${text}</a>`,
  });
}
