import { expect } from '@jest/globals';
import type { ClientRequest } from '../../src/http/client_request.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { TestApp } from '../support/app.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { servicesOf } from '../support/services.ts';

const ORIGIN = 'https://matrix.example.org';
const SESSION = '/_2fa/account/session';

/** A person on the account page, in one browser. */
export class PagePerson {
  token = '';
  key = '';

  constructor(
    readonly app: TestApp,
    readonly cookie: string,
  ) {}

  /** What the script asks at its start, and while there is activity; with the key that it has, or as after a reload. */
  async call(more: { readonly key?: string; readonly via?: TestApp } = {}): Promise<HttpAnswer> {
    const key = more.key === undefined ? {} : { 'X-M2FA-Page': more.key };
    const headers = { Origin: ORIGIN, Cookie: `__Secure-m2fa_page=${this.cookie}`, ...key };
    return (more.via ?? this.app).call({ method: 'POST', target: SESSION, json: {}, headers });
  }

  /** Loads the page. */
  async load(): Promise<JsonObject> {
    const { status, json } = await this.call();
    expect(status).toBe(200);
    this.token = String(json.access_token);
    this.key = String(json.page_key);
    return json;
  }

  /** A request of the script, with its key unless `headers` says otherwise. */
  ask(call: HttpCall, via: TestApp = this.app): Promise<HttpAnswer> {
    return via.call({ token: this.token, ...call, headers: { 'X-M2FA-Page': this.key, ...call.headers } });
  }
}

interface Credentials {
  readonly name: string;
  readonly password: string;
  readonly code?: string;
}

/** Signs in on the account page: with a code for a user with 2FA. */
export async function signInOnPage(app: TestApp, credentials: Credentials): Promise<PagePerson> {
  const cookie = await finishOnPage(app, await beginOnPage(app, credentials));
  if (cookie === undefined) throw new Error('the sign-in on the account page was refused');
  const person = new PagePerson(app, cookie);
  await person.load();
  return person;
}

/** What a sign-in with nothing left to prove is known by. */
export async function beginOnPage(app: TestApp, { name, password, code }: Credentials): Promise<string> {
  const { pageSignIn } = servicesOf(app);
  const browser = 'x'.repeat(22);
  const { standing } = await pageSignIn.begin(REQUEST, { name, password, browser, redirectUrl: ORIGIN });
  if (code === undefined) return standing.id;
  const field = code.includes('-') ? 'recovery_code' : 'code';
  const judged = await pageSignIn.submitCode(REQUEST, standing.id, { typed: code, field, browser });
  expect(judged?.kind).toBe('accepted');
  return standing.id;
}

/** The cookie that it leads to. */
export function finishOnPage(app: TestApp, id: string): Promise<string | undefined> {
  return servicesOf(app).pageEntry.enter(REQUEST, id, 'Account page');
}

const REQUEST: ClientRequest = {
  ...{ method: 'POST', path: '/_2fa/account', params: {}, query: new Map(), search: '', headers: {} },
  assertedUser: undefined,
  token: { kind: 'none' },
  body: undefined,
  client: { ip: '127.0.0.1', proto: 'https', host: 'matrix.example.org' },
  signal: new AbortController().signal,
};
