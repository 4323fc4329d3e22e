import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { refusalAnswer } from '../../http/refusal_answer.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { Language } from '../../system/languages.ts';
import type { Log } from '../../system/log.ts';
import { html } from '../shell/html.ts';
import type { PageShell } from '../shell/page.ts';
import type { Say } from '../texts/texts.ts';
import { type ErrorCause, type ErrorPage, errorPage } from './error_pages.ts';
import { type FormPage, type PageRefusal, retryAfter } from './form_page.ts';
import type { FormTokens } from './form_tokens.ts';
import { waitTime } from './time_text.ts';

/** What a handler of pages needs for one request. */
export interface PageVisit {
  readonly request: ClientRequest;
  /** Says the texts of the pages in the reader's language. */
  readonly say: Say;
  readonly language: Language;
  /** How the operator's server is called. */
  readonly server: string;
  render(page: FormPage): Answer;
  /** A page that tells why it does not go on. */
  fail(page: Omit<ErrorPage, 'server'>): Answer;
  /** @throws Refusal forbidden, invalid_param, too_large, slow_body */
  readForm(): Promise<Form>;
}

/** What all pages with forms have in common: the reader's language, the form's token, errors told as pages. */
export class FormPages {
  constructor(
    private readonly shell: PageShell,
    private readonly tokens: FormTokens,
    private readonly log: Log,
  ) {}

  /** Answers a request by `answer`; whatever it throws becomes a page with the right status. */
  async visit(
    request: ClientRequest,
    answer: (visit: PageVisit) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const say = this.shell.sayFor(request);
    try {
      return await answer({
        request,
        say,
        language: say.language === 'de' ? 'de' : 'en',
        server: this.shell.server,
        render: (page) => this.render(request, page),
        fail: (page) => this.render(request, errorPage(say, { ...page, server: this.shell.server })),
        readForm: () => this.tokens.read(request),
      });
    } catch (error) {
      if (request.signal.aborted) throw error;
      return this.problem(request, say, error);
    }
  }

  private render(request: ClientRequest, page: FormPage): Answer {
    const token = this.tokens.tokenFor(request);
    const { title, script, refusal, asks, width } = page;
    const answer = this.shell.renderPage({
      title,
      request,
      ...(width === undefined ? {} : { width }),
      status: refusal?.status ?? 200,
      body: page.body(token.field, token.value),
      ...(script === undefined ? {} : { script }),
    });
    const cookies = [answer.headers, token.headers].flatMap((headers) => headers?.['Set-Cookie'] ?? []);
    const headers = {
      ...answer.headers,
      ...(cookies.length > 0 && { 'Set-Cookie': cookies }),
      ...retryAfter(refusal?.retryAfterMs ?? page.retryAfterMs),
    };
    const outcome = refusal?.outcome ?? (asks && { is: 'challenged' as const, reason: asks });
    return { ...answer, headers, ...(outcome && { outcome }) };
  }

  private problem(request: ClientRequest, say: Say, error: unknown): Answer {
    const { status, headers, outcome } = refusalAnswer(error, this.log, request.client.record);
    const retryAfterMs = error instanceof Refusal ? error.retryAfterMs : undefined;
    const cause = causeOf(error, status);
    const page =
      status === 429
        ? limitedPage(say, { status, outcome, retryAfterMs }, request.path + request.search)
        : errorPage(say, {
            cause,
            href: request.path + request.search,
            server: this.shell.server,
            waitMs: retryAfterMs,
            // A proxy that waited for the homeserver too long is a gateway all the same.
            refusal: { status: cause === 'unknown' ? 410 : status === 504 ? 502 : status, outcome },
          });
    const answer = this.render(request, page);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }
}

/** A limit that was met where no form could tell of it. */
function limitedPage(say: Say, refusal: PageRefusal, href: string): FormPage {
  const title = say('signIn.title');
  const time = waitTime(say, refusal.retryAfterMs ?? 0);
  const text =
    refusal.outcome.is === 'limited' && refusal.outcome.reason === 'homeserver'
      ? say('signIn.limitedByServer', { time })
      : say('signIn.limited', { time });
  return {
    title: say('shell.error', { title }),
    refusal,
    body: () => html`<section class="card stack"><h1>${title}</h1>
<p class="notice warning" role="alert">${text}</p>
<p><a class="button full" href="${href}">${say('shell.tryAgain')}</a></p></section>`,
  };
}

function causeOf(error: unknown, status: number): ErrorCause {
  // Coming back from the provider once more: that login token is used up.
  if (error instanceof Refusal && error.refusal === 'login_refused') return 'unknown';
  if (status === 403) return 'form';
  return status < 500 ? 'unreadable' : 'down';
}

/** The title of a page, which tells first that something is wrong. */
export function titleOf({ say }: PageVisit, title: string, problem: string | undefined): string {
  return problem === undefined ? title : say('shell.error', { title });
}
