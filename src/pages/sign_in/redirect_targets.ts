import { isForeignScheme, isLoopback } from '../../config/values.ts';
import { shownTarget } from '../../oauth/redirect_uris.ts';

/** Where the account page is. */
export const ACCOUNT_PAGE = '/_2fa/account';
/** Where apps ask for access (docs/oauth.md). */
export const AUTHORIZE_PAGE = '/_2fa/oauth2/authorize';
/** Where the code of a device is typed. */
export const LINK_PAGE = '/_2fa/link';

/** Where a browser may be sent after its sign-in. */
export interface RedirectTarget {
  readonly href: string;
  /**
   * A site, or whatever app the device opens for the scheme. Our own account page, the request of an app for access, and a
   * device that waits get no login token.
   */
  readonly kind: 'site' | 'app' | 'account' | 'authorize' | 'link';
  /** For people: the whole host with its port, as it goes into a certificate; for an app its scheme before it. */
  readonly name: string;
}

/** Which `redirectUrl` is taken (spec/login.md, attack 67). */
export class RedirectTargets {
  /**
   * @param listed its `clients` are origins, and schemes with their colon, that need no confirmation
   * @param publicBaseUrl the origin that browsers see
   * @param hasAuthorize whether apps may ask for access
   */
  constructor(
    private readonly listed: { readonly clients: readonly string[] },
    private readonly publicBaseUrl: string,
    private readonly hasAuthorize = false,
  ) {}

  /** Our own account page. @param search the query that goes with it, empty or with its `?` */
  account(search: string): RedirectTarget {
    const url = new URL(ACCOUNT_PAGE + search, this.publicBaseUrl);
    return { href: url.href, kind: 'account', name: url.host };
  }

  /** The request of an app for access: it is judged apart. @param query of it, without its `?` */
  authorize(query: string): RedirectTarget {
    const url = new URL(`${AUTHORIZE_PAGE}?${query}`, this.publicBaseUrl);
    const name = shownTarget(url.searchParams.get('redirect_uri') ?? '');
    return { href: url.href, kind: 'authorize', name };
  }

  /** A device that waits for its user (`link_targets.ts`). @param query of its address */
  link(query: ReadonlyMap<string, string>): RedirectTarget {
    const kept = [...query].filter(([name]) => name !== 'v' && name !== 'lang');
    const url = new URL(`${LINK_PAGE}?${new URLSearchParams(kept)}`, this.publicBaseUrl);
    return { href: url.href, kind: 'link', name: '' };
  }

  /** Undefined if a browser must not be sent there. */
  read(redirectUrl: string | undefined): RedirectTarget | undefined {
    if (redirectUrl === undefined || !URL.canParse(redirectUrl)) return undefined;
    const url = new URL(redirectUrl);
    const isOurs = url.origin === new URL(this.publicBaseUrl).origin;
    if (isOurs && url.pathname === ACCOUNT_PAGE) return this.account(url.search);
    if (isOurs && this.hasAuthorize && url.pathname === AUTHORIZE_PAGE)
      return this.authorize(url.search.slice(1));
    if (isOurs && this.hasAuthorize && url.pathname === LINK_PAGE)
      return this.link(new Map(url.searchParams));
    if (isForeignScheme(url.protocol) || url.username !== '' || url.password !== '') return undefined;
    if (url.protocol === 'https:') return siteOf(url);
    if (url.protocol !== 'http:') return appOf(url);
    return isLoopback(url.hostname) || this.listed.clients.includes(url.origin) ? siteOf(url) : undefined;
  }

  /** Whether the operator trusts this client; compared whole, never by its beginning. */
  isListed(target: RedirectTarget): boolean {
    if (isAccess(target)) return false;
    const { href } = target;
    const url = new URL(href);
    const isSite = url.protocol === 'https:' || url.protocol === 'http:';
    return this.listed.clients.includes(isSite ? url.origin : url.protocol);
  }
}

/** The target with a login token in its query, where clients look for it (client-server API, "SSO client login"). */
export function withLoginToken({ href }: RedirectTarget, loginToken: string): string {
  const at = href.indexOf('#');
  const [address, fragment] = at === -1 ? [href, ''] : [href.slice(0, at), href.slice(at)];
  const separator = address.includes('?') ? '&' : '?';
  return `${address}${separator}loginToken=${encodeURIComponent(loginToken)}${fragment}`;
}

/** Whether something asks for access to the account: it is asked about each time. */
export function isAccess({ kind }: RedirectTarget): boolean {
  return kind === 'authorize' || kind === 'link';
}

/** The query of a target on our own site. */
export function queryOf({ href }: RedirectTarget): string {
  return new URL(href).search.slice(1);
}

/** Path and query of a target on our own site. */
export function pathOf(href: string): string {
  const { pathname, search } = new URL(href);
  return pathname + search;
}

/** What stands behind the scheme says where the token goes, where the app takes addresses of any host. */
function appOf({ href, protocol, host }: URL): RedirectTarget {
  return { href, kind: 'app', name: host === '' ? protocol.slice(0, -1) : `${protocol}//${host}` };
}

function siteOf(url: URL): RedirectTarget {
  return { href: url.href, kind: 'site', name: url.host };
}
