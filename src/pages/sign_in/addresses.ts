import { ACCOUNT_PAGE, pathOf, type RedirectTarget } from './redirect_targets.ts';

/** Where the sign-in page stands. */
const SIGN_IN_PAGE = '/_2fa/login';
const REDIRECT = '/_matrix/client/v3/login/sso/redirect';

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
  if (target.kind === 'account' && provider === undefined) return inLocales(way, pathOf(target.href));
  const path = provider === undefined ? SIGN_IN_PAGE : `${REDIRECT}/${encodeURIComponent(provider)}`;
  return inLocales(way, `${path}?redirectUrl=${encodeURIComponent(target.href)}`);
}

/** Where the first form opens a visit with this id. */
export function openingAddress({ target, locales }: Way, visitId: string): string {
  const beginning = beginningOf({ target, locales });
  return `${beginning}${beginning.includes('?') ? '&' : '?'}v=${visitId}`;
}

/** The address of a visit: the account page has its own cards, which are sent to it. */
export function visitAddress(way: Way, visitId: string): string {
  const path = way.target.kind === 'account' ? ACCOUNT_PAGE : SIGN_IN_PAGE;
  return inLocales(way, `${path}?v=${visitId}`);
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
