/**
 * A browser without JavaScript, as far as forms are concerned: keeps cookies, fills in forms with their hidden
 * fields, and follows the redirects from a form to one of our pages, but no other.
 */
import { call, type HttpAnswer } from './http.ts';

/** Pages that a form leads to. */
const OWN_PAGE = /^\/_2fa\/|\/fallback\/web$/;

export interface VisitedForm {
  /** Where it goes; empty: to the address of the page. */
  readonly action: string;
  /** Hidden and prefilled fields. */
  readonly fields: Readonly<Record<string, string>>;
}

export class Visitor {
  readonly cookies = new Map<string, string>();
  last: HttpAnswer | undefined;
  /** The answer to the last form itself. */
  sent: HttpAnswer | undefined;
  /** Where the last redirect to one of our pages led. */
  led: string | undefined;

  constructor(
    public url: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  async open(target: string): Promise<HttpAnswer> {
    const answer = this.#keep(target, await call(this.url, { target, headers: this.#headers() }));
    return this.#follow(answer);
  }

  /** Sends the first form of the last page that has all of the fields given, the one of the step given if there is one. */
  async send(
    values: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const forms = formsOf(this.last?.text ?? '').filter(({ fields }) =>
      Object.keys(values).every((name) => name in fields),
    );
    const form = forms.find(({ fields }) => fields.step === values.step) ?? forms[0];
    if (form === undefined) throw new Error(`there is no form with ${Object.keys(values).join(', ')}`);
    // Of buttons only the one that is pressed.
    const { decision: _decision, kind: _kind, ...others } = form.fields;
    const fields = { ...others, ...values };
    return this.post(fields, headers, this.#at(form.action));
  }

  /** Sends fields to where the last page stood, and opens the page that this leads to. */
  async post(
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
    target = this.#target,
  ): Promise<HttpAnswer> {
    this.sent = await this.postOnly(fields, headers, target);
    return this.#follow(this.sent);
  }

  /** Sends fields to where the last page stood, or to `target`. */
  async postOnly(
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
    target = this.#target,
  ): Promise<HttpAnswer> {
    return this.#keep(
      target,
      await call(this.url, {
        method: 'POST',
        target,
        body: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...this.#headers(), ...headers },
      }),
    );
  }

  /** What an address on the last page names. */
  #at(action: string): string {
    const { pathname, search } = new URL(
      action === '' ? this.#target : action,
      new URL(this.#target, this.url),
    );
    return pathname + search;
  }

  async #follow(answer: HttpAnswer): Promise<HttpAnswer> {
    const { location = '' } = answer.headers;
    if (answer.status !== 303) return answer;
    const here = new URL(this.#target, this.url);
    const { origin, pathname, search } = new URL(location, here);
    if (origin !== here.origin || !OWN_PAGE.test(pathname)) return answer;
    this.led = location;
    return this.open(pathname + search);
  }

  #target = '/';

  #keep(target: string, answer: HttpAnswer): HttpAnswer {
    this.#target = target;
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.last = answer;
    return answer;
  }

  #headers(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return { ...this.headers, ...(cookie === '' ? {} : { cookie }) };
  }
}

/** The forms of a page with what stands in their fields. */
export function formsOf(page: string): VisitedForm[] {
  return [...page.matchAll(/(?<tag><form\b[^>]*>)(?<inner>.*?)<\/form>/gs)].map(({ groups }) => ({
    action: attribute(groups?.tag ?? '', 'action'),
    fields: Object.fromEntries(
      [...(groups?.inner ?? '').matchAll(/<(?:input|button)\b[^>]*>/g)]
        .map(([field]) => [attribute(field, 'name'), attribute(field, 'value')])
        .filter(([name]) => name !== ''),
    ),
  }));
}

/** A page without what differs from one request to the next. */
export function plainOf(page: string): string {
  return page.replace(/(?:value|action|nonce|data-webauthn-options|href)="[^"]*"/g, '');
}

function attribute(tag: string, name: string): string {
  return unescaped(new RegExp(` ${name}="([^"]*)"`).exec(tag.replaceAll('\n', ' '))?.[1] ?? '');
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
