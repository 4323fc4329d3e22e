import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { html, jsonBlock } from '../shell/html.ts';
import type { PageShell } from '../shell/page.ts';
import { pickLanguage } from '../texts/language.ts';
import { textsIn } from '../texts/texts.ts';

/**
 * `GET /_2fa/account`: an empty page and its texts. The script makes it a client of the public API; nothing of
 * any user stands in it.
 */
export class AccountPage {
  /** @param digits of a code, so that the page knows when one is complete */
  constructor(
    private readonly shell: PageShell,
    private readonly digits: number,
  ) {}

  handle(request: ClientRequest): Answer {
    const language = pickLanguage(request.headers['accept-language']);
    const { account } = textsIn(language);
    return this.shell.renderPage({
      title: account.title,
      language,
      script: 'account.js',
      wide: true,
      body: html`<div id="account"></div>
<div id="announcer" class="visually-hidden" role="status"></div>
<noscript><section class="card"><h1>${account.title}</h1><p>${account.needsScript}</p></section></noscript>
${jsonBlock('data', { texts: account, digits: this.digits })}`,
    });
  }
}
