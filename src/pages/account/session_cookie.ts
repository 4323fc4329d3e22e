import type { ClientRequest } from '../../http/client_request.ts';
import { readCookie } from '../../http/headers.ts';

/** What `randomId` makes of 256 bits, and nothing else. */
const VALUE = /^[A-Za-z0-9_-]{43}$/;

/**
 * The cookie of the account page. No other site can have it sent, no script can read it, no other page gets it, and it
 * ends with the browser.
 */
export class SessionCookie {
  private readonly name: string;
  private readonly attributes: string;

  /** @param publicBaseUrl the origin that browsers see */
  constructor(publicBaseUrl: string) {
    const isSecure = publicBaseUrl.startsWith('https:');
    this.name = isSecure ? '__Secure-m2fa_page' : 'm2fa_page';
    this.attributes = `HttpOnly; SameSite=Strict; Path=/_2fa/account${isSecure ? '; Secure' : ''}`;
  }

  /** What this browser brings; undefined if it brings none. */
  in({ headers }: ClientRequest): string | undefined {
    const value = readCookie(headers.cookie, this.name);
    return value !== undefined && VALUE.test(value) ? value : undefined;
  }

  /** The header that sets it. */
  set(value: string): string {
    return `${this.name}=${value}; ${this.attributes}`;
  }

  /** The header that removes it. */
  get removed(): string {
    return `${this.name}=; ${this.attributes}; Max-Age=0`;
  }
}
