import type { Answer } from '../../http/answer.ts';
import type { Clock } from '../../system/clock.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { timeText } from '../forms/time_text.ts';
import { linkedPage, waitsNoMorePage } from '../link/link_cards.ts';
import type { LinkedDevice } from '../link/link_targets.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { RedirectTarget } from '../sign_in/redirect_targets.ts';
import { backToApp, type Consent } from '../sign_in/sign_in_cards.ts';
import type { SignInVisit } from '../sign_in/sign_in_visit.ts';
import type { Say } from '../texts/texts.ts';
import type { AccessFault, AccessRequest, AccessRequests } from './access_requests.ts';

/** What the last step asks, or the page that tells why it asks nothing. */
export type ShownConsent =
  | (Consent & { readonly is: 'asked' })
  | { readonly is: 'fault'; readonly answer: Answer };

/** What a person sees of what asks for access to their account, beside the sign-in. It changes nothing. */
export class AccessViews {
  constructor(private readonly deps: { readonly requests: AccessRequests; readonly clock: Clock }) {}

  /** Who asks, and what for. Undefined if nothing asks for access. */
  async consent(
    visit: PageVisit,
    { endsDevice = false }: SignInVisit,
    target: RedirectTarget,
  ): Promise<ShownConsent | undefined> {
    const judged = await this.deps.requests.judge(visit.request, target);
    if (judged === undefined) return undefined;
    if (judged.is !== 'fine') return { is: 'fault', answer: this.fault(visit, judged) };
    const { say } = visit;
    const { access } = judged;
    const device = html`<b>${access.asked.deviceId}</b>`;
    return {
      is: 'asked',
      title: say(access.by === 'device' ? 'link.consent' : 'access.title'),
      warning: access.by === 'device' ? undefined : say('access.warning'),
      about: html`${whoAsks(say, access, target)}
<p>${say('access.full')}</p>
${endsDevice && html`<p class="notice warning">${htmlIn(say.form('access.ends'), { device })}</p>`}`,
    };
  }

  /** What is wrong with a request. Only a person who presses the link brings the app its error. */
  fault(visit: PageVisit, judged: AccessFault): Answer {
    if (judged.is === 'unknown') return visit.fail({ cause: 'link' });
    if (judged.is === 'gone') return visit.render(waitsNoMorePage(visit.say));
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

  /** The end of a sign-in that gave access: for an app the way back, while the code in it is good. */
  leading(visit: PageVisit, target: RedirectTarget, back: SignInVisit['back']): Answer | undefined {
    if (target.kind === 'link') return this.linked(visit);
    const { href, until = 0 } = back ?? {};
    return href === undefined || until <= this.deps.clock.now()
      ? undefined
      : this.continueTo(visit, target, href);
  }

  /** The device that waited has access. */
  linked(visit: PageVisit): Answer {
    return visit.render(linkedPage(visit.say));
  }

  /** For apps that browsers open only where someone presses a link. */
  continueTo(visit: PageVisit, target: RedirectTarget, href: string): Answer {
    const { say } = visit;
    const title = say('access.continue.title');
    return visit.render({
      title,
      body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${htmlIn(say.form('access.continue.text'), { app: html`<b>${target.name}</b>` })}</p>
${backToApp(say, href)}</section>`,
    });
  }
}

/** What an app calls itself is its own word: it never stands where the address does. */
function whoAsks(say: Say, access: AccessRequest, { name: destination }: RedirectTarget): Html {
  const name = access.asked.appName;
  return html`${access.by === 'device' ? aboutDevice(say, access.device) : html`<p>${say('confirm.gives')} <strong class="destination">${destination}</strong></p>`}
${name !== undefined && html`<p>${htmlIn(say.form('access.claims'), { name: html`<bdi>${name}</bdi>` })}</p>`}`;
}

/** A phisher has the code typed in for a device of their own: so who, when and where stand before the question. */
function aboutDevice(say: Say, { userCode, askedAt, askedFrom }: LinkedDevice): Html {
  const asked = { date: timeText(askedAt, say), address: html`<b>${askedFrom}</b>` };
  return html`<p>${say('link.shows')} <strong class="destination">${userCode}</strong></p>
<p>${htmlIn(say.form('link.asked'), asked)}</p>
<p class="notice warning">${say('link.warning')}</p>`;
}
