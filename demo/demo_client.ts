import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Html, html } from '../src/pages/shell/html.ts';
import { randomId, systemRandom } from '../src/system/random.ts';
import { ask, textIn } from './client.ts';

/** Who is signed in, and by which session of a browser. */
interface SignedIn {
  readonly userId: string;
  readonly deviceId: string;
  readonly token: string;
}

/** What a browser is told: a page, or where to go next. */
type Told = { readonly page: Html; readonly status?: number } | { readonly goTo: string };

const COOKIE = 'demo_client';

/**
 * A small Matrix client, on loopback only: it leads the browser to the sign-in page, as clients with single sign-on do,
 * and says who is in. It never sees a password or a code.
 */
export class DemoClient {
  /** The sign-ins that were begun, and those that are done, by what is in the browser's cookie. */
  private readonly begun = new Set<string>();
  private readonly done = new Map<string, SignedIn>();

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly homeserverUrl: string,
  ) {}

  /** @param homeserverUrl what clients use: the proxy */
  static async open(port: number, homeserverUrl: string): Promise<DemoClient> {
    let client: DemoClient | undefined;
    const server = createServer((request, response) => {
      client?.answer(request, response).catch(() => response.writeHead(502).end());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const { port: taken } = server.address() as AddressInfo;
    client = new DemoClient(`http://127.0.0.1:${taken}`, server, homeserverUrl);
    return client;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const browser = browserOf(request) ?? randomId(systemRandom);
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const told = await this.tell(`${request.method} ${pathname}`, browser, searchParams.get('loginToken'));
    response.setHeader('set-cookie', `${COOKIE}=${browser}; HttpOnly; SameSite=Lax; Path=/`);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('referrer-policy', 'no-referrer');
    if ('goTo' in told) response.writeHead(303, { location: told.goTo }).end();
    else {
      const type = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY };
      response.writeHead(told.status ?? 200, type).end(`<!doctype html>\n${told.page}`);
    }
  }

  private async tell(asked: string, browser: string, loginToken: string | null): Promise<Told> {
    if (asked === 'GET /') return { page: this.home(browser) };
    if (asked === 'GET /sign-in') return this.begin(browser);
    if (asked === 'GET /back') return this.finish(browser, loginToken);
    if (asked === 'POST /sign-out') return this.signOut(browser);
    return { status: 404, page: page(html`<p>There is no such page. <a href="/">Back</a></p>`) };
  }

  private home(browser: string): Html {
    const signedIn = this.done.get(browser);
    if (signedIn === undefined)
      return page(html`<p>No one is signed in here.</p>
<p><a href="/sign-in">Sign in</a></p>`);
    return page(html`<p>Signed in as <strong>${signedIn.userId}</strong>, on the device ${signedIn.deviceId}.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`);
  }

  private begin(browser: string): Told {
    this.begun.add(browser);
    const back = encodeURIComponent(`${this.url}/back`);
    return { goTo: `${this.homeserverUrl}/_matrix/client/v3/login/sso/redirect?redirectUrl=${back}` };
  }

  /** A login token from anywhere else than a sign-in of this browser would sign it in as another user. */
  private async finish(browser: string, loginToken: string | null): Promise<Told> {
    if (loginToken === null || !this.begun.delete(browser)) return { goTo: '/' };
    const body = { type: 'm.login.token', token: loginToken, initial_device_display_name: 'demo client' };
    const login = await ask(this.homeserverUrl, { path: 'v3/login', body });
    if (login.status !== 200) return { status: 502, page: refused(textIn(login, 'error')) };
    const token = textIn(login, 'access_token');
    const who = await ask(this.homeserverUrl, { path: 'v3/account/whoami', token });
    const signedIn = { userId: textIn(who, 'user_id'), deviceId: textIn(who, 'device_id'), token };
    this.done.set(browser, signedIn);
    return { goTo: '/' };
  }

  private async signOut(browser: string): Promise<Told> {
    const token = this.done.get(browser)?.token;
    this.done.delete(browser);
    if (token !== undefined) await ask(this.homeserverUrl, { method: 'POST', path: 'v3/logout', token });
    return { goTo: '/' };
  }
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

function browserOf({ headers: { cookie = '' } }: IncomingMessage): string | undefined {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(cookie)?.[1];
}

function refused(why: string): Html {
  return page(html`<p>The homeserver did not take it: ${why}</p><p><a href="/">Back</a></p>`);
}

function page(content: Html): Html {
  return html`<html lang="en"><meta name="viewport" content="width=device-width"><title>Demo client</title>
<style>body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }</style>
<h1>Demo client</h1>
${content}
</html>`;
}
