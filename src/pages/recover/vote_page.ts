import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { FormPages } from '../forms/form_pages.ts';
import { html } from '../shell/html.ts';

/**
 * `/_2fa/recover/vote?t=…`: the page behind the link of a voter. It knows nothing and tells nothing of any account: its
 * script keeps the link in this tab, and the account page shows the question to the voter, once they are signed in there.
 */
export class VotePage {
  constructor(
    private readonly pages: FormPages,
    /** Whether there are votes at all. */
    private readonly isOn: boolean,
  ) {}

  show(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, ({ say, render }) => {
      if (!this.isOn) throw new Refusal('unrecognized');
      const title = say('vote.title');
      return render({
        title,
        script: 'vote.js',
        body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say('vote.text')}</p>
<noscript><p class="notice warning">${say('vote.needsScript')}</p></noscript>
<p><a class="button full" href="/_2fa/account">${say('vote.continue')}</a></p></section>`,
      });
    });
  }
}
