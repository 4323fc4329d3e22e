import type { Recipient } from '../../account_recovery/recipients.ts';
import { shownAddress } from '../../account_recovery/shown_address.ts';
import type { RecoveryStanding } from '../../account_recovery/standing.ts';
import type { OfferedRecovery } from '../../login/page_recovery.ts';
import {
  credentialFields,
  notice,
  problemBelow,
  type WrongCredentials,
  wrongField,
} from '../forms/fields.ts';
import { longTime, timeText } from '../forms/time_text.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

interface Card {
  readonly say: Say;
  /** Where the forms go. */
  readonly action: string;
  /** The hidden fields of each form. */
  readonly hidden: Html;
}

/** Who it is, before anything is said of an account. */
export function firstCard(card: Card & WrongCredentials & { readonly server: string }): Html {
  const { say, action, hidden, field, problem, server } = card;
  return html`<section class="card stack"><h1>${say('recover.title')}</h1>
<p>${say('recover.intro')}</p>
${field === undefined && notice(problem)}
<form class="stack" method="post" action="${action}">
${hidden}
${credentialFields(say, server, card)}
</form>
<p class="muted">${say('recover.forgotten')}</p></section>`;
}

/** What happens, before it does. */
export function offerCard(
  card: Card & {
    readonly userId: string;
    readonly offer: OfferedRecovery;
    /** Told at the voucher. */
    readonly voucherProblem: string | undefined;
    readonly problem: string | undefined;
  },
): Html {
  const { say, userId, offer, problem, voucherProblem } = card;
  return html`<section class="card stack"><h1 tabindex="-1"${voucherProblem === undefined && html` autofocus`}>${say('recover.title')}</h1>
${notice(problem)}
<p>${htmlIn(say.form('recover.for'), { user: html`<b>${userId}</b>` })}</p>
<p>${say('recover.takes', { time: longTime(say, offer.waitMs) })}${offer.hasDaysOff && html` ${say('recover.daysOff')}`}</p>
${toldList(say, offer)}
<p>${say(offer.endsOnUse ? 'recover.useCancel' : 'recover.useNotify')}</p>
<p>${say('recover.end')}</p>
${step(
  card,
  'begin',
  html`${voucherField(card)}
<button class="button full">${say('recover.start')}</button>`,
)}
</section>`;
}

function toldList(say: Say, { recipients, devices }: OfferedRecovery): Html {
  const count = (role: Recipient['role']) => {
    const told = recipients.filter((each) => each.role === role);
    return new Set(told.map(({ person, address }) => person ?? address)).size;
  };
  const addresses = recipients
    .filter(({ role, channel }) => (role === 'owner' || role === 'contact') && channel !== 'matrix')
    .map(({ address }) => html`<li><bdi>${shownAddress(address)}</bdi></li>`);
  const [voters, roomAdmins] = [count('voter'), count('room_admin')];
  const isOnMatrix = recipients.some(({ role, channel }) => role === 'owner' && channel === 'matrix');
  const lines = [
    ...addresses,
    ...(isOnMatrix && devices !== undefined && devices > 0
      ? [html`<li>${say('recover.devices', { count: devices })}</li>`]
      : []),
    ...(count('operator') > 0 ? [html`<li>${say('recover.operators')}</li>`] : []),
    ...(voters > 0 ? [html`<li>${say('recover.voters', { count: voters })}</li>`] : []),
    ...(roomAdmins > 0 ? [html`<li>${say('recover.roomAdmins', { count: roomAdmins })}</li>`] : []),
  ];
  if (lines.length === 0) return html`<p>${say('recover.noOne')}</p>`;
  return html`<p>${say('recover.tells')}</p>
<ul>${lines}</ul>`;
}

function voucherField({
  say,
  offer: { vouchedWaitMs },
  voucherProblem,
}: Parameters<typeof offerCard>[0]): Html | undefined {
  if (vouchedWaitMs === undefined) return undefined;
  const refused = voucherProblem === undefined ? undefined : { problem: voucherProblem };
  return html`<div class="field">
<label for="voucher">${say('recover.voucher')}</label>
<input id="voucher" name="recovery_code" class="code" type="text" autocomplete="off" autocapitalize="none"
 spellcheck="false" maxlength="64"${refused !== undefined && html` autofocus`}${wrongField('voucher', refused, 'voucher-hint')}>
<p class="hint" id="voucher-hint">${say('recover.voucherHint', { time: longTime(say, vouchedWaitMs) })}</p>
${problemBelow('voucher', refused)}
</div>`;
}

/** The claim code, for the one time that it is shown. */
export function claimCard(
  card: Card & {
    readonly claim: { readonly code: string; readonly userId: string; readonly opensTs: number };
    readonly server: string;
    readonly problem: string | undefined;
  },
): Html {
  const { say, claim, server, problem } = card;
  const tick = html`<label class="check"><input type="checkbox" name="saved" required
 ${problem !== undefined && html`autofocus aria-invalid="true" aria-describedby="saved-problem"`}> ${say('recover.claimTick')}</label>
${problem !== undefined && html`<p class="problem" id="saved-problem" role="alert">${problem}</p>`}
<button class="button full">${say('save.finish')}</button>`;
  return html`<section class="card stack printable"><h1 tabindex="-1"${problem === undefined && html` autofocus`}>${say('recover.claimTitle')}</h1>
<p>${say('recover.claimText')}</p>
<p class="only-print">${say('recover.sheet', { user: claim.userId, server })}</p>
<ul class="codes" aria-label="${say('recover.claim')}"><li>${claim.code}</li></ul>
<div class="actions">
<button class="button quiet row" type="button" data-copy="${claim.code}" data-done="${say('save.copied')}" hidden>${say('save.copy')}</button>
<button class="button quiet row" type="button" data-print hidden>${say('save.print')}</button>
</div>
<p>${htmlIn(say.form('recover.opens'), { date: timeText(claim.opensTs, say) })}</p>
${step(card, 'claim_saved', tick)}
</section>`;
}

/** It runs: until when, and how it is stopped. */
export function runningCard(card: Card & { readonly standing: RecoveryStanding }): Html {
  const { say, standing } = card;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('recover.running')}</h1>
<p>${htmlIn(say.form('recover.runningText'), {
    begun: timeText(standing.begunTs, say),
    date: timeText(standing.opensTs, say),
  })}</p>
${stopForm(card)}
</section>`;
}

/** It can be finished. */
export function finishCard(
  card: Card & {
    readonly standing: RecoveryStanding;
    /** Told at the field. */
    readonly claimProblem: string | undefined;
    readonly problem: string | undefined;
  },
): Html {
  const { say, standing, problem, claimProblem } = card;
  const refused = claimProblem === undefined ? undefined : { problem: claimProblem };
  const field = html`<div class="field">
<label for="claim">${say('recover.claim')}</label>
<input id="claim" name="claim_code" class="code" type="text" autocomplete="off" autocapitalize="none" spellcheck="false"
 maxlength="64" autofocus${wrongField('claim', refused, 'claim-hint')}>
<p class="hint" id="claim-hint">${say('recover.claimHint')}</p>
${problemBelow('claim', refused)}
</div>
<button class="button full">${say('setup.next')}</button>`;
  return html`<section class="card stack"><h1>${say('recover.finishTitle')}</h1>
${notice(problem)}
${
  standing.closesTs !== undefined &&
  html`<p>${htmlIn(say.form('recover.finishText'), { date: timeText(standing.closesTs, say) })}</p>`
}
${step(card, 'claim', field)}
${stopForm(card)}
</section>`;
}

function stopForm(card: Card): Html {
  const { say } = card;
  return html`<p class="muted">${say('recover.notYou')}</p>
${step(card, 'stop', html`<button class="button quiet full">${say('recover.stop')}</button>`)}`;
}

/** The set-up begins once more. */
export function setUpAgainCard(card: Card & { readonly problem: string | undefined }): Html {
  const { say, problem } = card;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('recover.newAuthenticator')}</h1>
${notice(problem)}
${step(card, 'set_up', html`<button class="button full">${say('setup.now')}</button>`)}
</section>`;
}

/** The account is recovered, and the other devices of it are not signed out yet: before that no one is let in. */
export function notAloneCard(card: Card): Html {
  const { say } = card;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('recover.doneTitle')}</h1>
${notice(say('recover.notAlone'))}
${step(card, 'try_again', html`<button class="button full">${say('shell.tryAgain')}</button>`)}
</section>`;
}

/** What it came to, in words. */
export function saidCard(title: string, text: Html | string, link?: { href: string; text: string }): Html {
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${text}</p>
${link !== undefined && html`<p><a class="button quiet full" href="${link.href}">${link.text}</a></p>`}</section>`;
}

function step({ action, hidden }: Card, name: string, content: Html): Html {
  return html`<form class="stack" method="post" action="${action}">
${hidden}
<input type="hidden" name="step" value="${name}">
${content}
</form>`;
}
