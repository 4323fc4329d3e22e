import { encode } from 'uqr';
import type { SetUpKind, ShownSetUp } from '../../account/session_set_ups.ts';
import type { Answer } from '../../http/answer.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/** Light modules round the code that scanners need (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** Where a set-up stands among the pages. */
export interface SetUpPlace {
  /** The session of the sign-in. */
  readonly session: string;
  /** Where the forms go; undefined: to the address of the page. */
  readonly action?: string;
  /** Hidden fields of each form, besides those of the set-up. */
  readonly fields?: Html;
  /** Set where it may wait: until when, in words. */
  readonly until?: Html | undefined;
  /** What its user may choose from, and come back to; undefined: there is no choice. */
  readonly kinds?: readonly SetUpKind[];
  /** Whose recovery codes they are, on paper and in a file; undefined where the page may not tell. */
  readonly user?: string;
  /** What stands above the offer. */
  readonly about?: Html;
  /** What is shown in place of the offer. */
  readonly offer?: (problem: string | undefined) => Answer;
  /** Where it is not the first factor: what the pages are called, and what they say at the end. */
  readonly words?: SetUpWords;
  /** What did not work besides. */
  readonly warning?: string | undefined;
}

/** The words of a set-up that depend on what it is for. */
export interface SetUpWords {
  readonly title: string;
  /** It is done. */
  readonly done: string;
  /** There are no recovery codes to show. */
  readonly noCodes: string;
}

export function wordsOf(say: Say, { words }: SetUpPlace): SetUpWords {
  return words ?? { title: say('setup.owedTitle'), done: say('setup.doneOn'), noCodes: say('setup.noCodes') };
}

interface Card {
  readonly say: Say;
  readonly tokenField: Html;
  readonly place: SetUpPlace;
}

/** Says that a factor is to be set up before the sign-in goes on, or that it can wait. */
export function offerCard(card: Card & { readonly problem: string | undefined }): Html {
  const { say, place, problem } = card;
  const { kinds = [] } = place;
  const mayWait = place.until !== undefined;
  return html`<section class="card stack"><h1>${say('setup.owedTitle')}</h1>
${problem !== undefined && html`<p class="notice warning" role="alert">${problem}</p>`}
${place.about}
${kinds.length > 0 && beginning(card, kinds)}
${mayWait && step(card, 'later', html`<button class="button quiet full">${say('setup.later')}</button>`)}
</section>`;
}

/** Why, what is needed for it, and the buttons that begin it. */
function beginning(card: Card, kinds: readonly SetUpKind[]): Html {
  const { say, place } = card;
  const { until } = place;
  return html`<p>${until === undefined ? say('setup.required') : htmlIn(say.form('setup.requiredSoon'), { date: until })}</p>
${kinds.some(({ is }) => is === 'passkey') ? undefined : html`<p>${say('setup.need')}</p>`}
${step(card, 'set_up', kindButtons(say, kinds, say('setup.now')))}`;
}

/** The secret, to be scanned, opened or typed; and a field for the first code. */
export function scanCard(
  card: Card & {
    readonly shown: Extract<ShownSetUp, { is: 'secret' }>;
    readonly problem: string | undefined;
  },
): Html {
  const { say, shown, problem } = card;
  const described = problem === undefined ? 'code-hint' : 'code-problem code-hint';
  const field = html`<input type="hidden" name="setup_id" value="${shown.setupId}">
<div class="field">
<label for="code">${say('code.label')}</label>
<input id="code" name="code" class="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="32"
 required ${problem !== undefined && html`autofocus aria-invalid="true"`} aria-describedby="${described}">
<p class="hint" id="code-hint">${say('setup.check')}</p>
${problem !== undefined && html`<p class="problem" id="code-problem" role="alert">${problem}</p>`}
</div>
${nameField(say)}
<button class="button full">${say('code.submit')}</button>`;
  return html`<section class="card stack"><h1>${wordsOf(say, card.place).title}</h1>
<div class="ways">
<div><p>${say('setup.scanText')}</p>
${qrCode(shown.link, say('setup.picture'))}</div>
<div class="here"><p>${say('setup.openText')}</p>
<p><a class="button quiet" href="${shown.link}">${say('setup.open')}</a></p></div>
</div>
<p>${say('setup.cannotScan')} ${say('setup.key', { digits: shown.digits })}</p>
<p class="key"><code class="secret">${inFours(shown.key)}</code></p>
${step(card, 'set_up_code', field)}
${backStep(card)}
</section>`;
}

/** The recovery codes, for the one time that they are shown. Without any: what there is to know. */
export function codesCard(
  card: Card & {
    readonly codes: readonly string[];
    /** What stands above them on paper and in a file, with a place for the date of the reader. */
    readonly sheet: string | undefined;
    readonly problem: string | undefined;
  },
): Html {
  const { say, codes, sheet, problem, place } = card;
  const words = wordsOf(say, place);
  const told = html`<p class="notice good" role="status">${words.done}</p>
${place.warning !== undefined && html`<p class="notice warning" role="alert">${place.warning}</p>`}`;
  if (codes.length === 0) {
    return html`<section class="card stack"><h1 tabindex="-1" autofocus>${words.title}</h1>
${told}
<p>${words.noCodes}</p>
${step(
  card,
  'saved',
  html`<input type="hidden" name="saved" value="none">
<button class="button full">${say('setup.next')}</button>`,
)}</section>`;
  }
  const tick = html`<label class="check"><input type="checkbox" name="saved" required
 ${problem !== undefined && html`autofocus aria-invalid="true" aria-describedby="saved-problem"`}> ${say('save.tick')}</label>
${problem !== undefined && html`<p class="problem" id="saved-problem" role="alert">${problem}</p>`}
<button class="button full">${say('save.finish')}</button>`;
  return html`<section class="card stack printable"><h1 tabindex="-1" ${problem === undefined && html`autofocus`}>${say('save.title')}</h1>
${told}
<p>${withLastBold(say('save.text'))}</p>
${sheet !== undefined && html`<p class="only-print" data-dated="${sheet}"></p>`}
<ul class="codes" aria-label="${say('codes.title')}">${codes.map((code) => html`<li>${code}</li>`)}</ul>
${waysToSave(say, codes)}
<p class="muted small">${say('save.where')}</p>
${step(card, 'saved', tick)}
</section>`;
}

/** A text whose last sentence stands out. */
function withLastBold(text: string): Html {
  const end = text.lastIndexOf('. ') + 1;
  return html`${text.slice(0, end)} <b>${text.slice(end).trim()}</b>`;
}

/** Buttons that work by scripts; without them people write the codes down. */
function waysToSave(say: Say, codes: readonly string[]): Html {
  const text = codes.join('\n');
  return html`<div class="actions">
<button class="button quiet row" type="button" data-copy="${text}" data-done="${say('save.copied')}" hidden>${say('save.copy')}</button>
<button class="button quiet row" type="button" data-download="${text}" data-file="${say('save.fileName')}" data-done="${say('save.downloaded')}" hidden>${say('save.download')}</button>
<button class="button quiet row" type="button" data-print hidden>${say('save.print')}</button>
</div>`;
}

/** What its user calls the authenticator; left empty it has the usual name. */
function nameField(say: Say): Html {
  return html`<div class="field">
<label for="name">${say('setup.name')}</label>
<input id="name" name="name" type="text" autocomplete="off" maxlength="100" aria-describedby="name-hint">
<p class="hint" id="name-hint">${say('setup.nameHint')}</p>
</div>`;
}

/** The form of a step. @param attributes of the form, for scripts */
function step({ tokenField, place }: Card, name: string, content: Html, attributes?: Html): Html {
  const { action, fields } = place;
  return html`<form class="stack" method="post"${action !== undefined && html` action="${action}"`}${attributes}>
${tokenField}
${fields}
<input type="hidden" name="step" value="${name}">
${content}
</form>`;
}

/** Back to the choice, where there is one. */
function backStep(card: Card): Html | undefined {
  const { say, place } = card;
  if ((place.kinds ?? []).length < 2) return undefined;
  return step(card, 'back', html`<button class="button quiet full">${say('shell.back')}</button>`);
}

/** Dark on light in both colour schemes, because some scanners read nothing else. */
function qrCode(text: string, label: string): Html {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  const dark = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')));
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges">
<rect width="100%" height="100%" fill="#ffffff"/><path d="${dark.join('')}" fill="#000000"/></svg>`;
}

/** Easier to type. */
function inFours(key: string): string {
  return (key.match(/.{1,4}/g) ?? []).join(' ');
}

/**
 * The buttons of a form that begins a set-up: one for each kind. That for a passkey is there where the browser can make
 * one; where nothing else will do it is there in any case, and the next page says where it can be done.
 */
export function kindButtons(say: Say, kinds: readonly SetUpKind[], first: string): Html {
  const app = kinds.find(({ is }) => is === 'secret');
  const passkey = kinds.find(({ is }) => is === 'passkey');
  if (passkey === undefined || app === undefined) {
    return html`<button class="button full" name="kind" value="${(app ?? passkey)?.kind ?? ''}">${first}</button>`;
  }
  return html`<button class="button full" name="kind" value="${app.kind}">${first}</button>
<button class="button quiet full" name="kind" value="${passkey.kind}" data-makes-passkeys hidden>${say('setup.passkeyInstead')}</button>`;
}

/** Has the browser make a passkey: its script asks, and sends the answer. Without it a sentence says where it can be done. */
export function passkeyCard(
  card: Card & {
    readonly shown: Extract<ShownSetUp, { is: 'passkey' }>;
    readonly problem: string | undefined;
  },
): Html {
  const { say, place, shown, problem } = card;
  const content = html`<input type="hidden" name="setup_id" value="${shown.setupId}">
<input type="hidden" name="credential">
<p class="notice warning" role="alert" data-problem${problem === undefined && html` hidden`}>${problem}</p>
${nameField(say)}
<p data-unsupported>${say('setup.passkeyUnsupported')}</p>
<button class="button full" type="button" hidden>${say('setup.next')}</button>`;
  const asks = html` data-new-passkey="${JSON.stringify(shown.question)}" data-known="${say('setup.passkeyKnown')}"
 data-failed="${say('setup.passkeyFailed')}"`;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${wordsOf(say, place).title}</h1>
<p>${say('setup.passkeyText')}</p>
<p class="muted">${say('help.passkey.text')}</p>
${step(card, 'set_up_code', content, asks)}
${backStep(card)}
</section>`;
}
