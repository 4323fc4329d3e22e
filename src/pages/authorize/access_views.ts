import type { Answer } from '../../http/answer.ts';
import type { AuthorizationRequests, JudgedRequest } from '../../oauth/authorization_request.ts';
import type { Clock } from '../../system/clock.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import { queryOf, type RedirectTarget } from '../sign_in/redirect_targets.ts';
import { backToApp, type Consent } from '../sign_in/sign_in_cards.ts';
import type { SignInVisit } from '../sign_in/sign_in_visit.ts';
import type { Say } from '../texts/texts.ts';

/** What the last step asks, or the page that tells why it asks nothing. */
export type ShownConsent =
  | (Consent & { readonly is: 'asked' })
  | { readonly is: 'fault'; readonly answer: Answer };

/** What a person sees of an app that asks for access to their account, beside the sign-in. It changes nothing. */
export class AccessViews {
  constructor(private readonly deps: { readonly requests: AuthorizationRequests; readonly clock: Clock }) {}

  /** Who asks, and what for. Undefined if no app asks for access. */
  async consent(
    visit: PageVisit,
    { endsDevice = false }: SignInVisit,
    target: RedirectTarget,
  ): Promise<ShownConsent | undefined> {
    if (target.kind !== 'authorize') return undefined;
    const judged = await this.deps.requests.judge(queryOf(target));
    if (judged.is !== 'fine') return { is: 'fault', answer: this.fault(visit, judged) };
    const { say } = visit;
    const { client, scope } = judged.request;
    return {
      is: 'asked',
      title: say('access.title'),
      about: html`${aboutApp(say, client.name, target.name)}
<p>${say('access.full')}</p>
${endsDevice && html`<p class="notice warning">${htmlIn(say.form('access.ends'), { device: html`<b>${scope.deviceId}</b>` })}</p>`}`,
    };
  }

  /** What is wrong with a request. Only a person who presses the link brings the app its error. */
  fault(visit: PageVisit, judged: Exclude<JudgedRequest, { is: 'fine' }>): Answer {
    if (judged.is === 'unknown') return visit.fail({ cause: 'link' });
    const { say } = visit;
    const title = say('access.fault.title');
    return visit.render({
      title,
      refusal: { status: 400, outcome: { is: 'refused', reason: 'request' } },
      body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say('access.fault.text')}</p>
<p class="muted small">${htmlIn(say.form('access.fault.detail'), { error: html`<code>${judged.error}</code>` })}</p>
${backToApp(say, judged.href)}</section>`,
    });
  }

  /** The way back, while the code in it is good. */
  leading(visit: PageVisit, target: RedirectTarget, back: SignInVisit['back']): Answer | undefined {
    const { href, until = 0 } = back ?? {};
    return href === undefined || until <= this.deps.clock.now()
      ? undefined
      : this.continueTo(visit, target, href);
  }

  /** For apps that browsers open only where someone presses a link. */
  continueTo(visit: PageVisit, target: RedirectTarget, href: string): Answer {
    const { say } = visit;
    const title = say('access.continue.title');
    return visit.render({
      title,
      body: () => html`<section class="card stack"><h1>${title}</h1>
<p>${htmlIn(say.form('access.continue.text'), { app: html`<b>${target.name}</b>` })}</p>
<p><a class="button full" href="${href}" autofocus>${say('access.back')}</a></p></section>`,
    });
  }
}

/** What it calls itself is its own word: it never stands where the address does. */
function aboutApp(say: Say, name: string | undefined, destination: string): Html {
  const claim =
    name !== undefined &&
    html`<p>${htmlIn(say.form('access.claims'), { name: html`<bdi>${name}</bdi>` })}</p>`;
  return html`<p>${say('confirm.gives')} <strong class="destination">${destination}</strong></p>
${claim}`;
}
