import type { Factor } from '../../factors/factor.ts';
import type { FactorsAsked, FallbackStanding } from '../../guard/guarded_page.ts';
import type { Language } from '../../system/languages.ts';
import { factorForms, passwordField, type RefusedCode } from '../forms/fields.ts';
import { type Html, html } from '../shell/html.ts';
import type { Texts } from '../texts/en.ts';
import { fill } from '../texts/texts.ts';
import { consequenceText } from './consequence_text.ts';

interface Card {
  readonly texts: Texts;
  readonly language: Language;
  readonly tokenField: Html;
  readonly standing: FallbackStanding;
  /** Digits of a TOTP code. */
  readonly digits: number;
  /** All factors that there are. */
  readonly listed: readonly Factor[];
}

/** Asks for the second factor, before anything of the account is told. */
export function codeCard(card: Card & FactorsAsked & { readonly refused: RefusedCode | undefined }): Html {
  return html`<section class="card">${heading(card)}
${factorForms({ ...card, hidden: card.tokenField })}
</section>`;
}

/** Asks for the password. */
export function passwordCard(
  card: Card & { readonly refused: { readonly problem: string } | undefined },
): Html {
  const { texts, tokenField, standing, refused } = card;
  const { fallback } = texts;
  const user = standing.provenUser;
  return html`<section class="card">${heading(card)}
<p>${user === undefined ? fallback.ownPasswordIntro : fill(fallback.passwordIntro, { user })}</p>
<form method="post">
${tokenField}
${user !== undefined && html`<input type="text" name="username" autocomplete="username" value="${user}" hidden>`}
${passwordField(fallback.password, refused, true)}
<button class="button full">${fallback.confirm}</button>
</form></section>`;
}

/** All is done: the script tells the client and closes the page; in a plain tab the words have to do. */
export function doneCard({ fallback }: Texts): Html {
  return html`<section class="card"><h1>${fallback.doneTitle}</h1>
<p class="notice good" role="status">${fallback.done}</p></section>`;
}

/** What is asked for, and who asked: before any proof, so that users do not approve what another client began. */
function heading({ texts, language, standing, listed }: Card): Html {
  const { fallback } = texts;
  const { session } = standing;
  const device = session.deviceId ?? fallback.unknownDevice;
  const address = session.address ?? fallback.unknownDevice;
  return html`<h1>${fallback.title}</h1>
<p>${fallback.about} <strong class="destination">${consequenceText(texts, session, { factors: listed, language })}</strong></p>
<p>${fallback.askedBy}</p>
<ul>
<li><bdi>${fill(fallback.device, { device })}</bdi></li>
<li>${fill(fallback.address, { address })}</li>
<li>${fill(fallback.time, { time: timeText(session.openedAt, language) })}</li>
</ul>
<p class="muted">${fallback.notYou}</p>`;
}

/** In UTC: the server does not know the reader's time zone. */
export function timeText(at: number, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'long', timeZone: 'UTC' }).format(
    at,
  );
}
