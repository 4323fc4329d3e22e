import { isForeignScheme, isLoopback } from '../../config/values.ts';

/** Where a browser may be sent with a login token. */
export interface RedirectTarget {
  readonly href: string;
  /** A site, or whatever app the device opens for the scheme. */
  readonly kind: 'site' | 'app';
  /** For people: the whole host with its port, as it goes into a certificate; for an app its scheme before it. */
  readonly name: string;
}

/** Which `redirectUrl` is taken (spec/login.md, attack 67). */
export class RedirectTargets {
  /** @param listed its `clients` are origins, and schemes with their colon, that need no confirmation */
  constructor(private readonly listed: { readonly clients: readonly string[] }) {}

  /** Undefined if a browser must not be sent there. */
  read(redirectUrl: string | undefined): RedirectTarget | undefined {
    if (redirectUrl === undefined || !URL.canParse(redirectUrl)) return undefined;
    const url = new URL(redirectUrl);
    if (isForeignScheme(url.protocol) || url.username !== '' || url.password !== '') return undefined;
    if (url.protocol === 'https:') return siteOf(url);
    if (url.protocol !== 'http:') return appOf(url);
    return isLoopback(url.hostname) || this.listed.clients.includes(url.origin) ? siteOf(url) : undefined;
  }

  /** Whether the operator trusts this client; compared whole, never by its beginning. */
  isListed({ href }: RedirectTarget): boolean {
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

/** What stands behind the scheme says where the token goes, where the app takes addresses of any host. */
function appOf({ href, protocol, host }: URL): RedirectTarget {
  return { href, kind: 'app', name: host === '' ? protocol.slice(0, -1) : `${protocol}//${host}` };
}

function siteOf(url: URL): RedirectTarget {
  return { href: url.href, kind: 'site', name: url.host };
}
