import type { CDPSession, Page } from 'playwright-core';
import type { JsonObject } from '../../src/matrix/wire.ts';

/** What a page is told; undefined: what the server says. */
type Told = { readonly body: object; readonly status?: number } | undefined;

/** What a page is told for a request with this body. */
type Answerer = (sent: string) => Told;

type Answered =
  | { readonly is: 'instead'; readonly told: Answerer }
  | { readonly is: 'changed'; readonly change: (body: JsonObject) => JsonObject }
  | { readonly is: 'never' };

/** A request that the browser has stopped; with a status, at its answer. */
interface Paused {
  readonly requestId: string;
  readonly responseStatusCode?: number;
  readonly request: { readonly url: string; readonly postData?: string };
}

/**
 * What a page is told in place of what the server says. Routes of Playwright do the same, but turn the browser's cache off
 * and lead all requests through the test: with them the account page loads its forty scripts each time.
 *
 * Parts are named by the ends of their addresses.
 */
export class PageAnswers {
  private readonly answers = new Map<string, Answered>();
  private tools: Promise<CDPSession> | undefined;

  constructor(private readonly page: Page) {}

  give(part: string, body: object, status = 200): Promise<void> {
    return this.giveBy(part, () => ({ body, status }));
  }

  giveBy(part: string, told: Answerer): Promise<void> {
    return this.set(part, { is: 'instead', told });
  }

  /** What the server says, but for what `change` changes. */
  change(part: string, change: (body: JsonObject) => JsonObject): Promise<void> {
    return this.set(part, { is: 'changed', change });
  }

  /** It is awaited. */
  keepBack(part: string): Promise<void> {
    return this.set(part, { is: 'never' });
  }

  /** What the server says again, of one part or all. */
  async end(part?: string): Promise<void> {
    if (part === undefined) this.answers.clear();
    else this.answers.delete(part);
    await this.listen();
  }

  private async set(part: string, answered: Answered): Promise<void> {
    this.answers.set(part, answered);
    await this.listen();
  }

  private async listen(): Promise<void> {
    this.tools ??= this.open();
    const tools = await this.tools;
    const patterns = [...this.answers].map(([part, { is }]) => ({
      urlPattern: `*${part}`,
      requestStage: is === 'changed' ? ('Response' as const) : ('Request' as const),
    }));
    // Without a pattern all requests would be stopped.
    if (patterns.length === 0) await tools.send('Fetch.disable');
    else await tools.send('Fetch.enable', { patterns });
  }

  private async open(): Promise<CDPSession> {
    const tools = await this.page.context().newCDPSession(this.page);
    tools.on('Fetch.requestPaused', (paused) => {
      this.answer(tools, paused).catch((error) => {
        // What a page asks for that is being closed.
        if (!this.page.isClosed()) throw error;
      });
    });
    return tools;
  }

  private async answer(tools: CDPSession, { requestId, responseStatusCode, request }: Paused): Promise<void> {
    const [, answered] = [...this.answers].find(([part]) => request.url.endsWith(part)) ?? [];
    if (answered?.is === 'never') return;
    let told: Told;
    if (answered?.is === 'instead') told = answered.told(request.postData ?? '');
    if (answered?.is === 'changed') {
      const { body, base64Encoded } = await tools.send('Fetch.getResponseBody', { requestId });
      const said: JsonObject = JSON.parse(Buffer.from(body, base64Encoded ? 'base64' : 'utf8').toString());
      told = { body: answered.change(said), status: responseStatusCode ?? 200 };
    }
    if (told === undefined) await tools.send('Fetch.continueRequest', { requestId });
    else await tools.send('Fetch.fulfillRequest', { requestId, ...answerOf(told) });
  }
}

function answerOf({ body, status = 200 }: NonNullable<Told>) {
  return {
    responseCode: status,
    responseHeaders: [{ name: 'Content-Type', value: 'application/json' }],
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
  };
}
