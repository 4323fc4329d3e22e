import type { ConfirmableContact, ContactLinks } from '../../account_recovery/contact_links.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import { html, htmlIn } from '../shell/html.ts';

/** Where the token stands, and that it was confirmed. */
const TOKEN = 't';
const DONE = 'done';

/**
 * `/_2fa/recover/contact?t=…`: the page behind the link in the mail to a contact address. It says for which account it was
 * entered, and changes nothing; its button confirms it. It asks for no credential.
 */
export class ContactPage {
  constructor(
    private readonly links: Pick<ContactLinks, 'find' | 'confirm'>,
    private readonly pages: FormPages,
    /** Whether there is a recovery of accounts at all. */
    private readonly isOn: boolean,
  ) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      this.requireOn();
      if (request.query.has(DONE))
        return endPage(visit, 'contactLink.confirmed', 'contactLink.confirmedText');
      const found = await this.links.find(tokenOf(request));
      return found === undefined ? unknownPage(visit) : askPage(visit, found);
    });
  }

  /** `POST`: confirms it. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      this.requireOn();
      await visit.readForm();
      const isConfirmed = await this.links.confirm(request, tokenOf(request));
      return isConfirmed ? seeOther(`${request.path}?${DONE}`) : unknownPage(visit);
    });
  }

  /** @throws Refusal unrecognized */
  private requireOn(): void {
    if (!this.isOn) throw new Refusal('unrecognized');
  }
}

function tokenOf({ query }: ClientRequest): string {
  return query.get(TOKEN) ?? '';
}

function askPage({ say, render }: PageVisit, { userId, address }: ConfirmableContact): Answer {
  const title = say('contactLink.title');
  const about = { address: html`<b>${address}</b>`, user: html`<b>${userId}</b>` };
  return render({
    title,
    script: 'forms.js',
    body: (tokenField) => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${htmlIn(say.form('contactLink.text'), about)}</p>
<p class="muted">${say('contactLink.asksNothing')}</p>
<form method="post">
${tokenField}
<button class="button full">${say('contactLink.confirm')}</button>
</form></section>`,
  });
}

function endPage(
  { say, render }: PageVisit,
  key: 'contactLink.confirmed',
  text: 'contactLink.confirmedText',
): Answer {
  const title = say(key);
  return render({
    title,
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say(text)}</p></section>`,
  });
}

/** Unknown, over, used before, or of an address that was changed since: one is like the other. */
function unknownPage({ say, render }: PageVisit): Answer {
  const title = say('contactLink.unknown');
  return render({
    title: say('shell.error', { title }),
    refusal: { status: 404, outcome: { is: 'refused', reason: 'request' } },
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say('contactLink.unknownText')}</p></section>`,
  });
}
