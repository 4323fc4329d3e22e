import type { PageStanding } from '../../login/page_standing.ts';
import type { Language } from '../../system/languages.ts';
import {
  credentialFields,
  factorForms,
  notice,
  type RefusedCode,
  type WrongCredentials,
} from '../forms/fields.ts';
import { recoveryNotice } from '../forms/recovery_notice.ts';
import { timeText } from '../forms/time_text.ts';
import { HELP, RECOVER_PAGE } from '../shell/footer.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';
import { beginningOf, type Way } from './addresses.ts';
import type { OfferedProvider } from './offered_providers.ts';
import type { RedirectTarget } from './redirect_targets.ts';

/** The step of the form that stops a recovery. */
export const DONT_UNLOCK = 'dont_unlock';

interface Card {
  readonly say: Say;
  /** The hidden fields of each form. */
  readonly hidden: Html;
  /** Where the forms go. */
  readonly action: string;
  readonly way: Way;
}

interface CredentialsCard extends Card, WrongCredentials {
  readonly server: string;
  /** What has to be said first. */
  readonly notice?: Html | undefined;
  /** What has to be known of what comes after it. */
  readonly after?: Html | undefined;
  /** The form for a sign-in without the password. */
  readonly alone?: Html | undefined;
  readonly providers?: readonly OfferedProvider[];
}

/** The first step: who it is. */
export function credentialsCard(card: CredentialsCard): Html {
  const { say, hidden, action, way, field, problem, server } = card;
  const { target } = way;
  const isAccount = target.kind === 'account';
  return html`<section class="card stack"><h1>${isAccount ? say('account.title') : say('signIn.title')}</h1>
${card.notice}
${isAccount ? html`<p>${say('signIn.toAccount')}</p>` : journey(say, target)}
${field === undefined && notice(problem)}
<form class="stack" method="post" action="${action}">
${hidden}
${credentialFields(say, server, card, card.alone !== undefined)}
</form>
${card.after}
${otherWays(card)}</section>`;
}

function journey(say: Say, target: RedirectTarget): Html {
  return html`<div class="journey"><div>${windowIcon()}<span>${say('signIn.to')}
<b class="destination">${appName(say, target)}</b></span></div></div>`;
}

/** By a passkey alone, and through the homeserver's own single sign-on. */
function otherWays({ say, way, alone, providers = [] }: CredentialsCard): Html | undefined {
  if (providers.length === 0 && alone === undefined) return undefined;
  const links = providers.map(
    ({ id, name }) =>
      html`<p><a class="button quiet full" href="${beginningOf({ ...way, provider: id })}">${say('signIn.provider', { provider: name })}</a></p>`,
  );
  return html`<p class="muted or">${say('signIn.or')}</p>
${alone}
${links}`;
}

/** The second step, for accounts with 2FA. */
export function codeCard(
  card: Card & {
    readonly standing: PageStanding;
    readonly language: Language;
    /** What is told at a field. */
    readonly refused: RefusedCode | undefined;
    /** What is told above the forms. */
    readonly problem: string | undefined;
    /** Whether those who have lost all factors can recover the account themselves. */
    readonly canRecover: boolean;
    /** The recovery of the account that runs: by the password alone, it may be someone else's. */
    readonly recovery: { readonly opensTs: number } | undefined;
  },
): Html {
  const { say, way, standing, problem } = card;
  const lostAt = card.canRecover ? RECOVER_PAGE : `${HELP}#lost-all`;
  const { factors, asked, userId } = standing;
  return html`<section class="card stack"><h1>${say('code.title')}</h1>
<div class="journey">
<div>${personIcon()}<span>${htmlIn(say.form('code.as'), { user: html`<b>${userId}</b>` })}</span></div>
<div>${windowIcon()}<span>${htmlIn(say.form('code.for'), { app: html`<b>${appName(say, way.target)}</b>` })}</span></div>
</div>
${notice(problem)}
${card.recovery !== undefined && dontUnlock(card, card.recovery.opensTs)}
${factorForms({ ...card, factors, asked })}
</section>
<p class="after"><a href="${lostAt}">${say('code.lost')}</a></p>
<p class="after"><a href="${beginningOf(way)}">${say('code.startOver')}</a></p>`;
}

function dontUnlock({ say, hidden, action }: Card, opensTs: number): Html {
  return html`<form class="notice warning stack" method="post" action="${action}">
${hidden}
<p>${htmlIn(say.form('code.recoveryRuns'), { date: timeText(opensTs, say) })}</p>
<button class="button quiet full" name="step" value="${DONT_UNLOCK}">${say('recover.stop')}</button>
</form>`;
}

/** What the last step says of who signs in. */
export type ConfirmedStanding = Pick<PageStanding, 'userId' | 'recoveryCodesLeft' | 'mayTurnOn'>;

/** What is asked where an app wants access to the account. */
export interface Consent {
  readonly title: string;
  /** Who asks, and what for. */
  readonly about: Html;
  /** When to say no; undefined where that stands in `about`. */
  readonly warning: string | undefined;
}

interface ConfirmationCard extends Card {
  /** Undefined where the client gets a login token. */
  readonly consent: Consent | undefined;
  readonly standing: ConfirmedStanding;
  readonly problem: string | undefined;
  /** Where a lost authenticator can be replaced; undefined: not in this sign-in. */
  readonly replaceAt: string | undefined;
  readonly isReplaced: boolean;
}

/** The last step: which client gets access (attacks 67 and 69). */
export function confirmationCard(card: ConfirmationCard): Html {
  const { say, hidden, action, way, standing, problem, consent } = card;
  const { target } = way;
  const warning = consent === undefined ? say('confirm.warning') : consent.warning;
  // The heading has the focus, so that an Enter too many presses nothing.
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${consent?.title ?? confirmTitle(say, target)}</h1>
${notice(problem)}
${aboutRecovery(card)}
<p>${htmlIn(say.form('confirm.as'), { user: html`<b>${standing.userId}</b>` })}</p>
${consent?.about ?? html`<p>${say('confirm.gives')} <strong class="destination">${target.name}</strong></p>`}
${warning !== undefined && html`<p class="muted small">${warning}</p>`}
<form class="actions stretch" method="post" action="${action}" data-unhurried>
${hidden}
<button class="button" name="decision" value="allow">${say(consent === undefined ? 'confirm.allow' : 'access.allow')}</button>
<button class="button quiet" name="decision" value="deny">${say(consent === undefined ? 'confirm.cancel' : 'access.deny')}</button>
</form>
${standing.mayTurnOn && offer(say)}</section>`;
}

export function confirmTitle(say: Say, target: RedirectTarget): string {
  return target.kind === 'site' ? say('confirm.title', { app: target.name }) : say('confirm.titleApp');
}

/** The client gets nothing. @param back where an app is told so */
export function cancelledCard(say: Say, back: string | undefined): Html {
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('cancelled.title')}</h1>
<p>${say('cancelled.text')}</p>
${back !== undefined && backToApp(say, back)}</section>`;
}

/** Nothing leads back by itself: the person presses a link. */
export function backToApp(say: Say, href: string): Html {
  return html`<p><a class="button full" href="${href}">${say('access.back')}</a></p>`;
}

function aboutRecovery({ say, isReplaced, standing, replaceAt }: ConfirmationCard): Html | undefined {
  if (isReplaced) return html`<p class="notice good" role="status">${say('setup.doneReplaced')}</p>`;
  const count = standing.recoveryCodesLeft;
  return count === undefined ? undefined : recoveryNotice(say, count, replaceAt);
}

function offer(say: Say): Html {
  return html`<p class="muted">${say('confirm.offer')}
<a href="/_2fa/account" target="_blank" rel="noopener">${say('confirm.offerLink')} ${say('shell.newTab')}</a></p>`;
}

function appName(say: Say, target: RedirectTarget): string {
  if (target.kind === 'link') return say('link.app');
  return target.kind === 'app' ? say('signIn.app', { name: target.name }) : target.name;
}

/** Beside who signs in. */
function personIcon(): Html {
  return icon(
    html`<circle cx="10" cy="7" r="3.2"/><path d="M3.8 17c.8-3.2 3.2-4.8 6.2-4.8s5.4 1.6 6.2 4.8"/>`,
  );
}

/** Beside where it leads. */
function windowIcon(): Html {
  return icon(
    html`<rect x="3" y="4" width="14" height="12" rx="2"/><path d="M3 7.5h14M5.6 5.8h.01M7.6 5.8h.01"/>`,
  );
}

/** A picture beside words that say the same, in the colour of the text. */
function icon(drawing: Html): Html {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">${drawing}</svg>`;
}
