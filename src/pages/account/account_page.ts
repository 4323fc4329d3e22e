import type { Factor } from '../../factors/factor.ts';
import type { Factors } from '../../factors/factors.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { OfferedWays } from '../../second_factor/challenge_answer.ts';
import type { Language } from '../../system/languages.ts';
import { html, jsonBlock } from '../shell/html.ts';
import type { PageShell } from '../shell/page.ts';
import type { Texts } from '../texts/en.ts';
import { fill, type Say, textsIn } from '../texts/texts.ts';

export interface AccountPageSettings extends OfferedWays {
  /** Digits of a code, so that the page knows when one is complete. */
  readonly digits: number;
}

/**
 * `GET /_2fa/account`: an empty page and its texts. The script makes it a client of the public API; nothing of
 * any user stands in it.
 */
export class AccountPage {
  constructor(
    private readonly shell: PageShell,
    private readonly settings: AccountPageSettings,
    private readonly factors: Factors,
  ) {}

  handle(request: ClientRequest): Answer {
    const say = this.shell.sayFor(request);
    const texts = textsIn(say.language);
    const account = this.textsOf(texts, say.language === 'de' ? 'de' : 'en');
    return this.shell.renderPage({
      title: account.title,
      request,
      script: 'account.js',
      width: 'wide',
      body: html`<div id="account"></div>
<div id="announcer" class="visually-hidden" role="status"></div>
<noscript><section class="card"><h1>${account.title}</h1><p>${account.needsScript}</p></section></noscript>
${jsonBlock('data', {
  texts: account,
  problems: texts.problems,
  said: this.saidBy(say),
  digits: this.settings.digits,
})}`,
    });
  }

  /** Nothing tells people to type a code where it is not taken. */
  private saidBy({ texts }: Say): Say['texts'] {
    if (this.settings.appendedCode) return texts;
    return { ...texts, 'help.password-field.text': texts['help.password-field.notTaken'] };
  }

  /** `/_2fa/` and the like: what people type. */
  redirect({ search }: ClientRequest): Answer {
    return {
      status: 308,
      headers: { Location: `/_2fa/account${search}`, 'Cache-Control': 'no-store' },
      sameOrigin: true,
      body: Buffer.alloc(0),
    };
  }

  /** The texts, with those of the ways in that are offered, and of what happens to each factor. */
  private textsOf({ account }: Texts, language: Language) {
    const { appendedCode, pages } = this.settings;
    const { codePlace, title } = account.help;
    const place = appendedCode ? codePlace.appended : pages ? codePlace.page : codePlace.field;
    const items = account.help.items.map(({ question, answer }) => {
      return { question, answer: fill(answer, { codePlace: place }) };
    });
    const events = { ...account.history.events, ...eventTexts(this.factors.all, language) };
    return { ...account, help: { title, items }, history: { ...account.history, events } };
  }
}

/** What happened to factors, by the names that the audit has for it. */
function eventTexts(factors: readonly Factor[], language: Language): Record<string, string> {
  const texts = factors.flatMap(({ kind, events }) =>
    Object.entries(events).map(([deed, text]) => [`${kind}.${deed}`, text[language]] as const),
  );
  return Object.fromEntries(texts);
}
