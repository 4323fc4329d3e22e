import type { CancelLinks, LinkedRequest } from '../../account_recovery/cancel_links.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import { timeText } from '../forms/time_text.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';

/** Where the token stands. */
const TOKEN = 't';
/** How it ended, and when. */
const OVER_TEXTS = {
  cancelled: 'recover.over.cancelled',
  refused: 'recover.over.refused',
  finished: 'recover.over.finished',
} as const;

/**
 * `/_2fa/recover/cancel?t=…`: the page behind the link in each notice of a recovery request. It shows what would be
 * stopped and changes nothing; its button stops it. It asks for no credential, and leads to no page that does.
 */
export class CancelPage {
  constructor(
    private readonly links: Pick<CancelLinks, 'find' | 'cancel'>,
    private readonly pages: FormPages,
    /** Whether there is a recovery of accounts at all. */
    private readonly isOn: boolean,
  ) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      this.requireOn();
      const linked = await this.links.find(tokenOf(request));
      if (linked === undefined) return unknownPage(visit);
      return isRunning(linked) ? askPage(visit, linked) : overPage(visit, linked);
    });
  }

  /** `POST`: stops it. What had ended before is shown as it is. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      this.requireOn();
      await visit.readForm();
      await this.links.cancel(request, tokenOf(request));
      return seeOther(`${request.path}?${TOKEN}=${encodeURIComponent(tokenOf(request))}`);
    });
  }

  private requireOn(): void {
    if (!this.isOn) throw new Refusal('unrecognized');
  }
}

function tokenOf({ query }: ClientRequest): string {
  return query.get(TOKEN) ?? '';
}

function isRunning({ standing: { state } }: LinkedRequest): boolean {
  return state === 'waiting' || state === 'open';
}

function isOwners({ role }: LinkedRequest): boolean {
  return role === 'owner' || role === 'contact';
}

function askPage({ say, render }: PageVisit, linked: LinkedRequest): Answer {
  const { userId, begunTs, opensTs } = linked.standing;
  const title = say('recover.askStop');
  return render({
    title,
    script: 'forms.js',
    body: (tokenField) => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${htmlIn(say.form('recover.askStopText'), {
      user: html`<b>${userId}</b>`,
      begun: timeText(begunTs, say),
      date: timeText(opensTs, say),
    })}</p>
<p class="muted">${say('recover.asksNothing')}</p>
<form method="post" data-unhurried>
${tokenField}
<button class="button full">${say('recover.stop')}</button>
</form></section>`,
  });
}

/** What became of it, also after this very link has stopped it. */
function overPage(visit: PageVisit, linked: LinkedRequest): Answer {
  const { say, render } = visit;
  const isStopped = linked.standing.state === 'cancelled';
  const title = say(isStopped ? 'recover.stopped' : 'recover.ended');
  return render({
    title,
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${endText(visit, linked)}</p>
${isStopped && html`<p>${afterStop(visit, linked)}</p>`}</section>`,
  });
}

function endText({ say }: PageVisit, { standing: { state, endedTs = 0 } }: LinkedRequest): Html {
  if (state === 'expired' || state === 'waiting' || state === 'open')
    return html`${say('recover.over.expired')}`;
  return htmlIn(say.form(OVER_TEXTS[state]), { date: timeText(endedTs, say) });
}

function afterStop({ say }: PageVisit, linked: LinkedRequest): Html {
  if (isOwners(linked)) return html`${say('recover.stoppedText')}`;
  return htmlIn(say.form('recover.stoppedOther'), { user: html`<b>${linked.standing.userId}</b>` });
}

function unknownPage({ say, render }: PageVisit): Answer {
  const title = say('recover.linkTitle');
  return render({
    title: say('shell.error', { title }),
    refusal: { status: 404, outcome: { is: 'refused', reason: 'request' } },
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say('recover.linkText')}</p></section>`,
  });
}
