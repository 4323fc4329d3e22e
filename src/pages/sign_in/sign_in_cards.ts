import type { PageStanding } from '../../login/page_door.ts';
import type { Refusal } from '../../matrix/refusals.ts';
import type { Language } from '../../system/languages.ts';
import { factorForms, passwordField, type RefusedCode } from '../forms/fields.ts';
import { type Html, html } from '../shell/html.ts';
import type { Texts } from '../texts/en.ts';
import { counted, fill, type Say } from '../texts/texts.ts';
import type { OfferedProvider } from './offered_providers.ts';
import { ACCOUNT_PAGE, pathOf, type RedirectTarget } from './redirect_targets.ts';

/** Not where the page stands: a provider's way back has a login token in its address. */
export const ACTION = '/_2fa/login';
/** One to sign in to the account page, one to replace the authenticator there. */
const CODES_TO_REPLACE = 2;
const REDIRECT = '/_matrix/client/v3/login/sso/redirect';

interface Card {
  readonly texts: Texts;
  readonly say: Say;
  readonly tokenField: Html;
  readonly target: RedirectTarget;
}

/** Credentials that were not accepted. The name stays, the password never does. */
export interface RefusedCredentials {
  readonly problem: string;
  readonly name: string;
  readonly refusal: Refusal;
}

interface CredentialsCard extends Card {
  readonly refused: RefusedCredentials | undefined;
  /** What has to be said first. */
  readonly notice?: Html | undefined;
  readonly providers?: readonly OfferedProvider[];
}

/** The first step: who it is. */
export function credentialsCard(card: CredentialsCard): Html {
  const { texts, say, tokenField, target, refused } = card;
  const { signIn } = texts;
  const isAccount = target.kind === 'account';
  const knowsName = refused !== undefined && refused.name !== '';
  return html`<section class="card"><h1>${isAccount ? say('account.title') : signIn.title}</h1>
${card.notice}
<p>${isAccount ? say('signIn.toAccount') : html`${signIn.goingTo} ${destination(texts, target)}`}</p>
<form method="post" action="${actionOf(target)}">
${tokenField}
<input type="hidden" name="step" value="credentials">
<input type="hidden" name="redirectUrl" value="${target.href}">
<div class="field">
<label for="user">${signIn.name}</label>
<input id="user" name="user" type="text" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="320" required value="${refused?.name ?? ''}" ${!knowsName && html`autofocus`} aria-describedby="user-hint">
<p class="hint" id="user-hint">${signIn.nameHint}</p>
</div>
${passwordField(signIn.password, refused, knowsName)}
<button class="button full">${signIn.next}</button>
</form>
${providerLinks(card)}</section>`;
}

/** The ways through the homeserver's own single sign-on. */
function providerLinks({ say, target, providers = [] }: CredentialsCard): Html | undefined {
  if (providers.length === 0) return undefined;
  const links = providers.map(
    ({ id, name }) =>
      html`<p><a class="button quiet full" href="${beginning(target, id)}">${say('signIn.provider', { provider: name })}</a></p>`,
  );
  return html`<p class="muted">${say('signIn.or')}</p>
${links}`;
}

/** The second step, for accounts with 2FA. */
export function codeCard(
  card: Card & {
    readonly standing: PageStanding;
    readonly language: Language;
    readonly digits: number;
    readonly refused: RefusedCode | undefined;
  },
): Html {
  const { texts, tokenField, target, standing } = card;
  const { kinds, asked } = standing;
  const hidden = html`${tokenField}
<input type="hidden" name="step" value="code">
<input type="hidden" name="sign_in" value="${standing.id}">`;
  return html`<section class="card"><h1>${texts.signIn.codeTitle}</h1>
${factorForms({ ...card, hidden, action: actionOf(target), kinds, asked })}
</section>
<p><a href="${beginning(target, standing.provider)}">${texts.signIn.startAgain}</a></p>`;
}

/** Where this sign-in began: on our first page, or at the homeserver's provider. */
function beginning({ href, kind }: RedirectTarget, provider: string | undefined): string {
  if (kind === 'account' && provider === undefined) return pathOf(href);
  const path = provider === undefined ? ACTION : `${REDIRECT}/${encodeURIComponent(provider)}`;
  return `${path}?redirectUrl=${encodeURIComponent(href)}`;
}

/** The last step: which client gets access (attacks 67 and 69). */
export function confirmationCard(card: Card & { readonly standing: PageStanding }): Html {
  const { texts, tokenField, target, standing } = card;
  const { signIn } = texts;
  // The heading has the focus, so that an Enter too many presses nothing.
  return html`<section class="card"><h1 tabindex="-1" autofocus>${signIn.confirmTitle}</h1>
${afterRecovery(texts, standing.recoveryCodesLeft)}
<p>${fill(signIn.confirmIntro, { user: standing.userId })} ${destination(texts, target)}</p>
<p class="muted">${signIn.confirmWarning}</p>
<form method="post" action="${ACTION}" data-unhurried>
${tokenField}
<input type="hidden" name="step" value="confirmation">
<input type="hidden" name="sign_in" value="${standing.id}">
<button class="button full">${signIn.confirm}</button>
</form></section>`;
}

function afterRecovery({ signIn }: Texts, left: number | undefined): Html | undefined {
  if (left === undefined) return undefined;
  return html`<div class="notice warning"><p>${counted(signIn.usedRecoveryCode, left)}</p>
<p>${left < CODES_TO_REPLACE ? signIn.afterLossTooFew : toAccountPage(signIn)}</p></div>`;
}

function toAccountPage({ afterLoss, accountPage }: Texts['signIn']): Html {
  return html`${afterLoss} <a href="/_2fa/account" target="_blank" rel="noopener">${accountPage}</a>`;
}

/** The account page has its own cards, which are sent to it. */
function actionOf({ kind }: RedirectTarget): string {
  return kind === 'account' ? ACCOUNT_PAGE : ACTION;
}

function destination({ signIn }: Texts, target: RedirectTarget): Html {
  const name = target.kind !== 'app' ? target.name : fill(signIn.app, { name: target.name });
  return html`<strong class="destination">${name}</strong>`;
}
