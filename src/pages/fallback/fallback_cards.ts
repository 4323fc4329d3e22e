import type { Factor } from '../../factors/factor.ts';
import type { FactorsAsked, FallbackStanding } from '../../guard/guarded_page.ts';
import type { Language } from '../../system/languages.ts';
import { factorForms, notice, passwordField } from '../forms/fields.ts';
import type { ToldProblem } from '../forms/form_problems.ts';
import { recoveryNotice } from '../forms/recovery_notice.ts';
import { timeText } from '../forms/time_text.ts';
import { RECOVER_PAGE } from '../shell/footer.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { OfferedProvider } from '../sign_in/offered_providers.ts';
import type { Say } from '../texts/texts.ts';
import { consequenceText } from './consequence_text.ts';

/** The form that leads to the homeserver's single sign-on. */
export const SIGN_ON_STEP = 'provider';

interface Card {
  readonly say: Say;
  readonly language: Language;
  /** The hidden fields of each form. */
  readonly hidden: Html;
  /** Where the forms go. */
  readonly action: string;
  readonly standing: FallbackStanding;
  /** What the device that asked is called. */
  readonly device: string | undefined;
  /** All factors that there are. */
  readonly listed: readonly Factor[];
}

/** Asks for the second factor, before anything of the account is told. */
export function codeCard(
  card: Card &
    FactorsAsked &
    ToldProblem & {
      /** Whether those who have lost all factors can recover the account themselves. */
      readonly canRecover: boolean;
    },
): Html {
  return html`<section class="card stack">${heading(card)}
${notice(card.problem)}
${factorForms(card)}
${notYou(card.say)}</section>
${card.canRecover && html`<p class="after"><a href="${RECOVER_PAGE}">${card.say('code.lost')}</a></p>`}`;
}

/** Asks for the password. */
export function passwordCard(
  card: Card & {
    /** What is told at the field. */
    readonly refused: { readonly problem: string } | undefined;
    /** What is told above the form. */
    readonly problem: string | undefined;
  },
): Html {
  const { say, hidden, action, standing, refused, problem } = card;
  const user = standing.provenUser;
  const asking =
    user === undefined
      ? say('approve.ownPassword')
      : htmlIn(say.form('approve.password'), { user: html`<bdi>${user}</bdi>` });
  return html`<section class="card stack">${heading(card)}
${notice(problem)}
<p>${asking}</p>
<form class="stack" method="post" action="${action}">
${hidden}
${user !== undefined && html`<input type="text" name="username" autocomplete="username" value="${user}" hidden>`}
${passwordField(say, refused, true)}
<button class="button full">${say('approve.submit')}</button>
</form>
${notYou(say)}</section>`;
}

/** Leads to the homeserver's own single sign-on, by a login that is ended at once: the account has no password. */
export function providerCard(card: Card & { readonly providers: readonly OfferedProvider[] }): Html {
  const { say, standing, providers } = card;
  const links = providers.map(({ id, name }) => {
    const address = `/_2fa/approve?session=${encodeURIComponent(standing.session.id)}&provider=${encodeURIComponent(id)}`;
    const text = name === '' ? say('approve.providerGo') : say('signIn.provider', { provider: name });
    return html`<p><a class="button full" href="${address}">${text}</a></p>`;
  });
  return signOnCard(card, html`${links}`);
}

/** Leads to the homeserver's page for its own session, where the account has no password. */
export function homeserverCard(card: Card & { readonly problem: string | undefined }): Html {
  const { say, action, hidden, problem } = card;
  return signOnCard(
    card,
    html`${notice(problem)}
<form class="stack" method="post" action="${action}">
${hidden}<input type="hidden" name="step" value="${SIGN_ON_STEP}">
<button class="button full">${say('approve.providerGo')}</button>
</form>`,
  );
}

function signOnCard(card: Card, ways: Html): Html {
  return html`<section class="card stack">${heading(card)}
<p>${card.say('approve.provider')}</p>
${ways}
${notYou(card.say)}</section>`;
}

/**
 * All is done: the script tells the client and closes the page, unless it has something to say; in a plain tab the words
 * have to do.
 * @param codesLeft after a proof by a recovery code
 */
export function doneCard(say: Say, codesLeft?: number): Html {
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('approve.done.title')}</h1>
<p class="notice good" role="status">${say('approve.done.text')}</p>
${codesLeft !== undefined && html`<div data-to-read>${recoveryNotice(say, codesLeft)}</div>`}</section>`;
}

/** What is asked for, and who asked: before any proof, so that users do not approve what another client began. */
function heading({ say, language, standing, device, listed }: Card): Html {
  const { session } = standing;
  const asked = htmlIn(say.form('approve.asked'), {
    device: html`<bdi>${device ?? say('approve.unknownDevice')}</bdi>`,
    address: session.address ?? say('approve.unknownAddress'),
    time: timeText(session.openedAt, say),
  });
  return html`<h1>${say('approve.title')}</h1>
<p>${say('approve.about')} <strong class="destination">${consequenceText(say, session, { factors: listed, language })}</strong></p>
<p>${asked}</p>`;
}

function notYou(say: Say): Html {
  return html`<p class="muted small">${say('approve.notYou')}</p>`;
}
