import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { readCookie } from '../../http/headers.ts';
import { isOwnSite } from '../../http/own_site.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { type RandomSource, randomId } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import { type Html, html } from '../shell/html.ts';

/** The field of the token in each form. */
export const FORM_TOKEN = 'form_token';
const PURPOSE = 'form-token';
const BROWSER_PURPOSE = 'form-browser';
/** What `randomId` makes, and nothing else. */
const COOKIE_VALUE = /^[A-Za-z0-9_-]{27}$/;

/** What a page with a form needs: a field in the form, and the cookie that it belongs to. */
export interface FormToken {
  readonly value: string;
  readonly field: Html;
  /** Sets the cookie where the browser has none yet. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Lets forms in from our own pages only (attack 88). A browser tells where a form comes from; besides, each form
 * holds a digest of a cookie that no other site can set or read.
 */
export class FormTokens {
  readonly #vault: Vault;
  readonly #random: RandomSource;
  readonly #origin: string;
  readonly #cookie: { readonly name: string; readonly attributes: string };

  /** @param publicBaseUrl the origin that browsers see */
  constructor(vault: Vault, random: RandomSource, publicBaseUrl: string) {
    this.#vault = vault;
    this.#random = random;
    this.#origin = new URL(publicBaseUrl).origin;
    // Lax and not Strict: people come here from their client's site, and a second tab must not get a new cookie,
    // or the form in the first one would be worth nothing. A form from another site carries neither.
    const common = 'Path=/; HttpOnly; SameSite=Lax';
    this.#cookie = this.#origin.startsWith('https:')
      ? { name: '__Host-m2fa_form', attributes: `${common}; Secure` }
      : { name: 'm2fa_form', attributes: common };
  }

  /** The token for a form on the page that answers `request`. */
  tokenFor(request: ClientRequest): FormToken {
    const { value, headers } = this.#cookieFor(request);
    const token = this.#vault.digest(PURPOSE, value);
    return {
      value: token,
      field: html`<input type="hidden" name="${FORM_TOKEN}" value="${token}">`,
      headers,
    };
  }

  /** What tells this browser from others, for something that it shall bring back. */
  browserOf(request: ClientRequest): { readonly binding: string; readonly headers: FormToken['headers'] } {
    const { value, headers } = this.#cookieFor(request);
    return { binding: this.#vault.digest(BROWSER_PURPOSE, value), headers };
  }

  /** Whether `binding` is what `browserOf` said of the browser that sends this request. */
  isBrowser(request: ClientRequest, binding: string): boolean {
    const cookie = this.#cookieOf(request);
    return cookie !== undefined && this.#vault.isDigest(binding, BROWSER_PURPOSE, cookie);
  }

  /**
   * Reads a form that one of our pages sent.
   * @throws Refusal forbidden if it came from elsewhere; invalid_param, too_large, slow_body
   */
  async read(request: ClientRequest): Promise<Form> {
    if (!isOwnSite(request, this.#origin)) throw new Refusal('forbidden');
    const form = await request.readForm?.();
    if (form === undefined) throw new Refusal('invalid_param');
    const cookie = this.#cookieOf(request);
    if (cookie === undefined || !this.#vault.isDigest(form.get(FORM_TOKEN) ?? '', PURPOSE, cookie)) {
      throw new Refusal('forbidden');
    }
    return form;
  }

  /** The cookie that the browser has, or a new one and the header that sets it. */
  #cookieFor(request: ClientRequest): { readonly value: string; readonly headers: FormToken['headers'] } {
    const present = this.#cookieOf(request);
    if (present !== undefined) return { value: present, headers: {} };
    const value = randomId(this.#random);
    const { name, attributes } = this.#cookie;
    return { value, headers: { 'Set-Cookie': `${name}=${value}; ${attributes}` } };
  }

  #cookieOf({ headers }: ClientRequest): string | undefined {
    const value = readCookie(headers.cookie, this.#cookie.name);
    return value !== undefined && COOKIE_VALUE.test(value) ? value : undefined;
  }
}
