import { requestInForm } from '../authorize/access_request.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import { type Html, html } from '../shell/html.ts';
import { askedLocales } from '../texts/language.ts';
import { visitAddress, type Way } from './addresses.ts';
import type { OfferedProvider } from './offered_providers.ts';
import { queryOf, type RedirectTarget } from './redirect_targets.ts';
import type { SignInVisit } from './sign_in_visit.ts';

/** A page of the sign-in that can be shown now. */
export interface Shown {
  readonly visit: PageVisit;
  readonly seen: Visit<SignInVisit>;
  readonly way: Way;
  readonly beside?: BesideForm | undefined;
}

/** What the first card has besides its form. */
export interface BesideForm {
  readonly notice?: Html | undefined;
  readonly after?: Html | undefined;
  readonly providers?: readonly OfferedProvider[];
}

/** A sign-in for which no form was sent yet. */
export function unseen(visit: PageVisit, target: RedirectTarget, id: string, name = ''): Shown {
  const locales = askedLocales(visit.request);
  const state: SignInVisit = { target: target.href, step: 'credentials', name, locales };
  return { visit, seen: { id, turn: 0, state }, way: { target, locales } };
}

/** Where its forms go, and what is hidden in them. */
export function formOf(shown: Shown, tokenField: Html): { readonly action: string; readonly hidden: Html } {
  return { action: visitAddress(shown.way, shown.seen.id), hidden: hiddenIn(shown, tokenField) };
}

/** The request of an app travels in the form until its first one is sent, and in the visit then. */
export function hiddenIn({ way, seen }: Pick<Shown, 'way' | 'seen'>, tokenField: Html): Html {
  const { target } = way;
  const isOnTheWay = target.kind === 'authorize' && seen.turn === 0;
  return html`${tokenField}${turnField(seen.turn)}${isOnTheWay && requestInForm(queryOf(target))}`;
}
