import { ACCOUNT_PAGE, AUTHORIZE_PAGE, LINK_PAGE, pathOf, type RedirectTarget } from './redirect_targets.ts';

/** Where the sign-in page stands. */
const SIGN_IN_PAGE = '/_2fa/login';
const REDIRECT = '/_matrix/client/v3/login/sso/redirect';

/** On which page a sign-in stands. */
export type Place = 'login' | 'account' | 'authorize' | 'link';

const PAGES: Readonly<Record<Place, string>> = {
  login: SIGN_IN_PAGE,
  account: ACCOUNT_PAGE,
  authorize: AUTHORIZE_PAGE,
  link: LINK_PAGE,
};

/** Account page and what asks for access have cards of their own, which are sent to them. */
export function placeOf({ kind }: RedirectTarget): Place {
  return kind === 'site' || kind === 'app' ? 'login' : kind;
}

/** Where a sign-in came from and where it leads, as far as its addresses tell. */
export interface Way {
  readonly target: RedirectTarget;
  /** The identity provider of the homeserver that the person came by. */
  readonly provider?: string | undefined;
  /** The languages that the client asked for (`ui_locales`): each address has them. */
  readonly locales?: string | undefined;
}

/** Where a sign-in begins: on our first page, or at the homeserver's provider. */
export function beginningOf(way: Way): string {
  const { target, provider } = way;
  if (placeOf(target) !== 'login' && provider === undefined) return inLocales(way, pathOf(target.href));
  const path = provider === undefined ? SIGN_IN_PAGE : `${REDIRECT}/${encodeURIComponent(provider)}`;
  return inLocales(way, `${path}?redirectUrl=${encodeURIComponent(target.href)}`);
}

/** Where the first form opens a visit with this id. A request for access may be long: it stands in the form. */
export function openingAddress({ target, locales }: Way, visitId: string): string {
  if (target.kind === 'authorize') return visitAddress({ target, locales }, visitId);
  const beginning = beginningOf({ target, locales });
  return `${beginning}${beginning.includes('?') ? '&' : '?'}v=${visitId}`;
}

/** The address of a visit. */
export function visitAddress(way: Way, visitId: string): string {
  return inLocales(way, `${PAGES[placeOf(way.target)]}?v=${visitId}`);
}

/** Where the authenticator is replaced in the sign-in of a visit. */
export function replaceAddress(way: Way, visitId: string): string {
  return inLocales(way, `${SIGN_IN_PAGE}/replace?v=${visitId}`);
}

/** Our redirect to the first page, for a client that names its target itself. */
export function signInPageFor(redirectUrl: string | undefined, locales: string | undefined): string {
  const query = redirectUrl === undefined ? '' : `?redirectUrl=${encodeURIComponent(redirectUrl)}`;
  return inLocales({ locales }, SIGN_IN_PAGE + query);
}

/** The account page has them in its own query already. */
function inLocales({ locales }: Pick<Way, 'locales'>, address: string): string {
  if (locales === undefined || /[?&]ui_locales=/.test(address)) return address;
  return `${address}${address.includes('?') ? '&' : '?'}ui_locales=${encodeURIComponent(locales)}`;
}
