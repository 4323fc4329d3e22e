import type { Factor } from '../../factors/factor.ts';
import type { Factors } from '../../factors/factors.ts';
import type { Form } from '../../http/form.ts';
import type { AskedFactor } from '../../second_factor/challenges.ts';
import type { Language } from '../../system/languages.ts';
import { type Html, html } from '../shell/html.ts';
import type { Texts } from '../texts/en.ts';
import { fill } from '../texts/texts.ts';

/** A code that was not accepted: what was typed stays where it stood. */
export interface RefusedCode {
  readonly problem: string;
  readonly typed: string;
  /** Of which factor, by the field that it stood in. */
  readonly kind: string;
}

interface CodeForms {
  readonly texts: Texts;
  /** Digits of a TOTP code. */
  readonly digits: number;
  /** Where both forms go; empty: to the address of the page. */
  readonly action?: string;
  /** The hidden fields of both forms. */
  readonly hidden: Html;
  readonly refused: RefusedCode | undefined;
  /** The kinds that the session takes now. */
  readonly kinds: readonly string[];
}

/** Which field of `code_forms` holds the code. */
const CODE_FIELDS = { totp: 'code', recovery: 'recovery_code' } as const;

/** The form for a code; below it, visible without a click, the form for a recovery code. */
function codeForms({ texts, digits, hidden, refused, action, kinds }: CodeForms): Html {
  const { code } = texts;
  const ofTotp = refused?.kind === 'totp' ? refused : undefined;
  const ofRecovery = refused?.kind === 'recovery' ? refused : undefined;
  const open = html`<form method="post"${action !== undefined && html` action="${action}"`}>`;
  const hasTotp = kinds.includes('totp');
  const forTotp = html`${open}
${hidden}
<div class="field">
<label for="code">${code.label}</label>
<input id="code" name="${CODE_FIELDS.totp}" class="code" type="text" inputmode="numeric" autocomplete="one-time-code"
 maxlength="32" required value="${ofTotp?.typed ?? ''}"
 ${ofRecovery === undefined && html`autofocus`} ${described('code', ofTotp)}>
<p class="hint" id="code-hint">${fill(code.hint, { digits })}</p>
${problemOf('code', ofTotp)}
</div>
<button class="button full">${code.submit}</button>
</form>`;
  return html`${hasTotp && forTotp}
<details${(ofRecovery !== undefined || !hasTotp) && html` open`}>
<summary>${code.recoverySummary}</summary>
${open}
${hidden}
<div class="field">
<label for="recovery">${code.recoveryLabel}</label>
<input id="recovery" name="${CODE_FIELDS.recovery}" class="code" type="text" autocomplete="off" autocapitalize="none"
 spellcheck="false" maxlength="64" required value="${ofRecovery?.typed ?? ''}"
 ${ofRecovery !== undefined && html`autofocus`} ${described('recovery', ofRecovery)}>
<p class="hint" id="recovery-hint">${code.recoveryHint}</p>
${problemOf('recovery', ofRecovery)}
</div>
<button class="button quiet full">${code.recoverySubmit}</button>
</form>
<p class="muted">${code.noneLeft}</p>
</details>`;
}

/** What a screen reader says with a field: its hint, and first of all what was wrong. */
function described(id: string, refused: RefusedCode | undefined): Html {
  return refused === undefined
    ? html`aria-describedby="${id}-hint"`
    : html`aria-invalid="true" aria-describedby="${id}-problem ${id}-hint"`;
}

/** A password field, without the password that was refused. */
export function passwordField(
  label: string,
  refused: { readonly problem: string } | undefined,
  focused: boolean,
): Html {
  return html`<div class="field">
<label for="password">${label}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="4096" required
 ${focused && html`autofocus`} ${refused !== undefined && html`aria-invalid="true" aria-describedby="password-problem"`}>
${problemOf('password', refused)}
</div>`;
}

function problemOf(id: string, refused: { readonly problem: string } | undefined): Html | undefined {
  return refused && html`<p class="problem" id="${id}-problem" role="alert">${refused.problem}</p>`;
}

/** What is told of a code that was not accepted: the same for wrong and for spent ones (attack 87). */
export function codeProblem(
  { texts, language }: { readonly texts: Texts; readonly language: Language },
  factor: Factor | undefined,
  outcome: 'refused' | 'missing',
): string {
  const { problems } = texts;
  if (outcome === 'missing') return problems.missingCode;
  if (factor?.page !== undefined) return factor.page.refused[language];
  return factor?.role === 'backup' ? problems.wrongRecoveryCode : problems.wrongCode;
}

/** What a form brings for a second factor: the field says which kind its user meant. */
export function readSentCode(
  form: Form,
  factors: Factors,
): { readonly kind: string; readonly typed: string } {
  const own = factors.all.find(({ page }) => page !== undefined && form.has(page.field));
  if (own?.page !== undefined) return { kind: own.kind, typed: form.get(own.page.field) ?? '' };
  const kind = form.has(CODE_FIELDS.recovery) ? 'recovery' : 'totp';
  return { kind, typed: form.get(CODE_FIELDS[kind]) ?? '' };
}

/** What a page asks for a second factor. */
interface FactorForms extends CodeForms {
  readonly language: Language;
  /** The questions of the factors that ask one. */
  readonly asked: readonly AskedFactor[];
}

/** A form for each question, and the forms for codes if there is a factor whose codes are typed. */
export function factorForms(forms: FactorForms): Html {
  const { asked, texts, kinds } = forms;
  const questions = asked.map((each) => questionForm(forms, each));
  const withoutForm = asked.filter(({ factor }) => factor.page === undefined);
  // The field for codes is there for those, too: a page is never without one.
  const takesCodes =
    withoutForm.length > 0 || kinds.some((kind) => asked.every(({ factor }) => factor.kind !== kind));
  return html`${questions}
${withoutForm.map(({ factor: { elsewhere } }) => elsewhere && html`<p>${elsewhere[forms.language]}</p>`)}
${kinds.includes('totp') && html`<p>${texts.signIn.codeIntro}</p>`}
${takesCodes && codeForms(forms)}`;
}

function questionForm(
  { hidden, action, refused, language }: FactorForms,
  asked: AskedFactor,
): Html | undefined {
  const { factor, params } = asked;
  const { kind, page } = factor;
  if (page === undefined) return undefined;
  const here: RefusedCode | undefined = refused?.kind === kind ? refused : undefined;
  const open = html`<form method="post"${action !== undefined && html` action="${action}"`} data-params="${JSON.stringify(params)}">`;
  return html`${open}
${hidden}
<div class="field">
<label for="${kind}">${page.label[language]}</label>
<p class="hint" id="${kind}-hint">${page.question(params, language)}</p>
<input id="${kind}" name="${page.field}" type="text" autocomplete="off" maxlength="4096" required
 aria-describedby="${kind}-hint">
${here !== undefined && html`<p class="problem" role="alert">${here.problem}</p>`}
</div>
<button class="button full">${page.submit[language]}</button>
</form>`;
}
