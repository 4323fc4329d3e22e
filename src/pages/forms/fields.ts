import type { PasskeyPage } from '../../factors/description.ts';
import type { Factor } from '../../factors/factor.ts';
import { digitsIn, type Factors } from '../../factors/factors.ts';
import type { Form } from '../../http/form.ts';
import type { AskedFactor } from '../../second_factor/challenges.ts';
import type { SentCode } from '../../second_factor/presented.ts';
import type { Language } from '../../system/languages.ts';
import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/** No user id is longer (appendices, "User Identifiers"); e-mail addresses are allowed more. */
export const LONGEST_NAME = 320;

/** A code that was not accepted. What was typed does not come back. */
export interface RefusedCode {
  readonly problem: string;
  /** The name of the field that it stood in. */
  readonly field: string;
}

interface CodeForms {
  readonly say: Say;
  /** Where both forms go; empty: to the address of the page. */
  readonly action?: string;
  /** The hidden fields of both forms. */
  readonly hidden: Html;
  readonly refused: RefusedCode | undefined;
  /** Those that the session takes now. */
  readonly factors: readonly Factor[];
}

/** The fields for codes that are typed: those of the factors that turn 2FA on, and of those that are good beside one. */
const CODE_FIELDS = { primary: 'code', backup: 'recovery_code' } as const;

/** Where a code is told of that stood behind the password. */
export const CODE_FIELD = CODE_FIELDS.primary;

/** The field that the proofs of a factor stand in. */
export function proofFieldOf({ page, role }: Factor): string {
  return page?.field ?? CODE_FIELDS[role];
}

/** The form for a code; below it, folded, the form for a recovery code. */
function codeForms({ say, hidden, refused, action, factors }: CodeForms): Html {
  const ofCode = refusedIn(CODE_FIELDS.primary, refused);
  const ofRecovery = refusedIn(CODE_FIELDS.backup, refused);
  const open = html`<form method="post"${action !== undefined && html` action="${action}"`}>`;
  const hasCodes = factors.some((factor) => proofFieldOf(factor) === CODE_FIELDS.primary);
  const hasOthers = factors.some(({ role }) => role !== 'backup');
  const isNumber = digitsIn(factors) !== undefined;
  const forCode = html`${open}
${hidden}
<div class="field">
<label for="code">${say('code.label')}</label>
<input id="code" name="${CODE_FIELDS.primary}" class="code" type="text"${isNumber && html` inputmode="numeric"`} autocomplete="one-time-code"
 maxlength="32"${ofRecovery === undefined && html` autofocus`}${wrongField('code', ofCode)}>
${problemBelow('code', ofCode)}
</div>
<button class="button full">${say('code.submit')}</button>
</form>`;
  return html`${hasCodes && forCode}
<details${(ofRecovery !== undefined || !hasCodes) && html` open`}>
<summary>${say('code.useRecovery')}</summary>
${open}
${hidden}
<div class="field">
<label for="recovery">${say('code.recoveryLabel')}</label>
<input id="recovery" name="${CODE_FIELDS.backup}" class="code" type="text" autocomplete="off" autocapitalize="none"
 spellcheck="false" maxlength="64"${ofRecovery !== undefined && html` autofocus`}${wrongField('recovery', ofRecovery, 'recovery-hint')}>
<p class="hint" id="recovery-hint">${withWholeCodes(say('code.recoveryHint'))}</p>
${problemBelow('recovery', ofRecovery)}
</div>
<button class="button${hasOthers && ' quiet'} full">${say('code.submit')}</button>
</form>
</details>`;
}

function refusedIn(field: string, refused: RefusedCode | undefined): RefusedCode | undefined {
  return refused?.field === field ? refused : undefined;
}

/** A code in a sentence is not broken at its hyphens. */
export function withWholeCodes(text: string): Html {
  const parts = text.split(/(\w{4}-\w{4}-\w{4})/);
  return html`${parts.map((part, n) => (n % 2 === 1 ? html`<span class="whole">${part}</span>` : part))}`;
}

/** What a screen reader says with a field: first of all what was wrong, then its hint. */
export function wrongField(
  id: string,
  refused: { readonly problem: string } | undefined,
  hint?: string,
): Html {
  const described = [
    ...(refused === undefined ? [] : [`${id}-problem`]),
    ...(hint === undefined ? [] : [hint]),
  ];
  return html`${refused !== undefined && html` aria-invalid="true"`}${
    described.length > 0 && html` aria-describedby="${described.join(' ')}"`
  }`;
}

/** A password field, without the password that was refused. The script adds a button that shows what is typed. */
export function passwordField(
  say: Say,
  refused: { readonly problem: string } | undefined,
  focused: boolean,
): Html {
  return html`<div class="field">
<label for="password">${say('signIn.password')}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="4096"
 data-show="${say('shell.showPassword')}" data-hide="${say('shell.hidePassword')}"${focused && html` autofocus`}${wrongField('password', refused)}>
${problemBelow('password', refused)}
</div>`;
}

export function problemBelow(
  id: string,
  refused: { readonly problem: string } | undefined,
): Html | undefined {
  return refused && html`<p class="problem" id="${id}-problem" role="alert">${refused.problem}</p>`;
}

/** What is told of a code that was not accepted: the same for wrong and for spent ones (attack 87). */
export function codeProblem(
  { say, language }: { readonly say: Say; readonly language: Language },
  factors: Factors,
  { field, is }: { readonly field: string; readonly is: 'refused' | 'missing' },
): string {
  if (is === 'missing') return say('code.missing');
  const page = factors.ofField(field)?.page;
  if (page?.is === 'passkey') return say('code.passkeyRefused');
  if (page !== undefined) return page.refused[language];
  return field === CODE_FIELDS.backup ? say('code.wrongRecovery') : say('code.wrong');
}

/** What a form brings for a second factor, and in which field. */
export function readSentCode(form: Form, factors: Factors): SentCode {
  const field = sentField(form, factors) ?? CODE_FIELD;
  return { field, typed: form.get(field) ?? '' };
}

/** The field of a form that brings something for a second factor. */
export function sentField(form: Form, factors: Factors): string | undefined {
  const own = factors.all.flatMap(({ page }) => page?.field ?? []);
  return [...own, CODE_FIELDS.backup, CODE_FIELDS.primary].find((field) => form.has(field));
}

/** What a page asks for a second factor. */
interface FactorForms extends CodeForms {
  readonly language: Language;
  /** The questions of the factors that ask one. */
  readonly asked: readonly AskedFactor[];
}

/** A form for each question, and the forms for codes if there is a factor whose codes are typed. */
export function factorForms(forms: FactorForms): Html {
  const { asked, say, factors } = forms;
  const digits = digitsIn(factors);
  const questions = asked.map((each) => questionForm(forms, each));
  // Beside a question for the browser, which may not know passkeys, there always is the field for codes.
  const takesCodes =
    asked.some(({ factor }) => factor.page === undefined || factor.page.is === 'passkey') ||
    factors.some(({ kind }) => asked.every(({ factor }) => factor.kind !== kind));
  return html`${questions}
${digits !== undefined && html`<p>${say('code.intro', { digits })}</p>`}
${takesCodes && codeForms(forms)}`;
}

function questionForm(forms: FactorForms, asked: AskedFactor): Html | undefined {
  const { hidden, action, refused, language } = forms;
  const { factor, params } = asked;
  const { kind, page } = factor;
  if (page === undefined) return undefined;
  if (page.is === 'passkey') return passkeyForm(forms, asked, page);
  const here = refusedIn(page.field, refused);
  const open = html`<form method="post"${action !== undefined && html` action="${action}"`} data-params="${JSON.stringify(params)}">`;
  return html`${open}
${hidden}
<div class="field">
<label for="${kind}">${page.label[language]}</label>
<p class="hint" id="${kind}-hint">${page.question(params, language)}</p>
<input id="${kind}" name="${page.field}" type="text" autocomplete="off" maxlength="4096"${wrongField(kind, here, `${kind}-hint`)}>
${problemBelow(kind, here)}
</div>
<button class="button full">${page.submit[language]}</button>
</form>`;
}

/** The script asks the browser and sends its answer; without it, or where it cannot, there is no dead button. */
function passkeyForm(
  { say, hidden, action, refused }: FactorForms,
  { params }: AskedFactor,
  page: PasskeyPage,
): Html {
  const here = refusedIn(page.field, refused);
  const options = JSON.stringify(params.public_key);
  return html`<form method="post"${action !== undefined && html` action="${action}"`} data-webauthn-options="${options}">
${hidden}
<input type="hidden" name="${page.field}">
${here !== undefined && html`<p class="notice warning" role="alert">${here.problem}</p>`}
<p data-unsupported>${say('code.passkeyUnsupported')}</p>
<button class="button full" type="button" hidden>${say('code.passkey')}</button>
</form>`;
}

/** What was wrong with name or password. The name stays, the password never comes back. */
export interface WrongCredentials {
  readonly name: string;
  /** The field that it is told at; undefined: above the form. */
  readonly field: 'user' | 'password' | undefined;
  readonly problem: string | undefined;
}

/** The field at which a problem is told; undefined: above the form. */
export function fieldOf(problem: { readonly is: string } | undefined): WrongCredentials['field'] {
  if (problem?.is === 'missingUser') return 'user';
  return problem?.is === 'wrong' || problem?.is === 'missingPassword' ? 'password' : undefined;
}

/**
 * The fields for name and password, and the button.
 * @param server of which a user id is an example
 * @param offersPasskeys the browser may offer passkeys with the names that it knows
 */
export function credentialFields(
  say: Say,
  server: string,
  { name, field, problem }: WrongCredentials,
  offersPasskeys = false,
): Html {
  const at = (here: 'user' | 'password') =>
    field === here && problem !== undefined ? { problem } : undefined;
  const focusesPassword = field === 'password' || (field === undefined && name !== '');
  return html`<div class="field">
<label for="user">${say('signIn.user')}</label>
<input id="user" name="user" type="text" autocomplete="username${offersPasskeys && ' webauthn'}" autocapitalize="none" spellcheck="false"
 maxlength="${LONGEST_NAME}" value="${name}"${!focusesPassword && html` autofocus`}${wrongField('user', at('user'), 'user-hint')}>
<p class="hint" id="user-hint">${say('signIn.userHint', { server })}</p>
${problemBelow('user', at('user'))}
</div>
${passwordField(say, at('password'), focusesPassword)}
<button class="button full">${say('signIn.next')}</button>`;
}

/** What is told above a form. */
export function notice(problem: string | undefined): Html | undefined {
  return problem === undefined ? undefined : html`<p class="notice warning" role="alert">${problem}</p>`;
}
