import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { refusalAnswer } from '../../http/refusal_answer.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { Language } from '../../system/languages.ts';
import type { Log } from '../../system/log.ts';
import { type Html, html } from '../shell/html.ts';
import type { PageShell } from '../shell/page.ts';
import type { Texts } from '../texts/en.ts';
import { type Say, textsIn } from '../texts/texts.ts';
import type { FormTokens } from './form_tokens.ts';
import { waitText } from './wait_text.ts';

/** A page with a form, or the last page of a sign-in or approval. */
export interface FormPage {
  readonly title: string;
  /** @param tokenField belongs into every form */
  readonly body: (tokenField: Html) => Html;
  readonly script?: string;
  /** Room for lists and tables: as for a form where it is left out. */
  readonly width?: 'wide';
  /** What the page tells of; without it its status is 200. */
  readonly refusal?: PageRefusal | undefined;
  /** What a page that refuses nothing asks for. */
  readonly asks?: 'password' | 'factor' | 'enrolment' | undefined;
}

/** What a page says no to: a refusal, or something that only pages refuse. */
export interface PageRefusal {
  readonly status: number;
  readonly outcome: Outcome;
  /** Goes into a header. */
  readonly retryAfterMs?: number | undefined;
}

/** A code that was not right. The record of the request tells whether it was right once. */
export function refusedCode({ client }: ClientRequest): PageRefusal {
  const isSpent = client.record?.checks.at(-1)?.result === 'spent';
  return { status: 403, outcome: { is: 'refused', reason: isSpent ? 'spent_code' : 'wrong_code' } };
}

/** What a handler of pages needs for one request. */
export interface PageVisit {
  readonly request: ClientRequest;
  /** Says the texts of the pages in the reader's language. */
  readonly say: Say;
  /** Texts of before `say`. */
  readonly texts: Texts;
  readonly language: Language;
  render(page: FormPage): Answer;
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
        texts: textsIn(say.language),
        language: say.language === 'de' ? 'de' : 'en',
        render: (page) => this.render(request, page),
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
      body: page.body(token.field),
      ...(script === undefined ? {} : { script }),
    });
    const cookies = [answer.headers, token.headers].flatMap((headers) => headers?.['Set-Cookie'] ?? []);
    const headers = {
      ...answer.headers,
      ...(cookies.length > 0 && { 'Set-Cookie': cookies }),
      ...retryAfter(refusal?.retryAfterMs),
    };
    const outcome = refusal?.outcome ?? (asks && { is: 'challenged' as const, reason: asks });
    return { ...answer, headers, ...(outcome && { outcome }) };
  }

  private problem(request: ClientRequest, say: Say, error: unknown): Answer {
    const { status, headers, outcome } = refusalAnswer(error, this.log, request.client.record);
    const texts = textsIn(say.language);
    const { text, hint } = wordsFor(texts, status, error);
    const page = this.render(request, {
      title: texts.problems.title,
      refusal: {
        status,
        outcome,
        retryAfterMs: error instanceof Refusal ? error.retryAfterMs : undefined,
      },
      body: () => problemCard(texts, text, hint),
    });
    return { ...page, headers: { ...page.headers, ...headers } };
  }
}

/** The card of a page that can only tell what is wrong. */
export function problemCard({ problems }: Texts, text: string, hint?: string): Html {
  return html`<section class="card"><h1>${problems.title}</h1>
<p class="notice bad">${text}</p>
${hint !== undefined && html`<p>${hint}</p>`}</section>`;
}

function wordsFor(texts: Texts, status: number, error: unknown): { text: string; hint?: string } {
  const { problems } = texts;
  // Coming back from the provider once more: that login token is used up.
  if (error instanceof Refusal && error.refusal === 'login_refused') {
    return { text: problems.ended, hint: problems.endedHint };
  }
  if (status === 403) return { text: problems.foreignForm, hint: problems.foreignFormHint };
  if (error instanceof Refusal && status === 429) return { text: waitText(texts, error) };
  return { text: status < 500 ? problems.unreadable : problems.unavailable };
}

function retryAfter(ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { 'Retry-After': String(Math.ceil(ms / 1000)) };
}
