import { type Html, html } from '../shell/html.ts';
import type { Texts } from '../texts/en.ts';
import { fill } from '../texts/texts.ts';

/** A code that was not accepted: what was typed stays where it stood. */
export interface RefusedCode {
  readonly problem: string;
  readonly typed: string;
  readonly kind: 'totp' | 'recovery';
}

export interface CodeForms {
  readonly texts: Texts;
  /** Digits of a TOTP code. */
  readonly digits: number;
  /** Where both forms go; empty: to the address of the page. */
  readonly action?: string;
  /** The hidden fields of both forms. */
  readonly hidden: Html;
  readonly refused: RefusedCode | undefined;
}

/** Which field of `code_forms` holds the code. */
export const CODE_FIELDS = { totp: 'code', recovery: 'recovery_code' } as const;

/** The form for a code; below it, visible without a click, the form for a recovery code. */
export function codeForms({ texts, digits, hidden, refused, action }: CodeForms): Html {
  const { code } = texts;
  const ofTotp = refused?.kind === 'totp' ? refused : undefined;
  const ofRecovery = refused?.kind === 'recovery' ? refused : undefined;
  const open = html`<form method="post"${action !== undefined && html` action="${action}"`}>`;
  return html`${open}
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
</form>
<details${ofRecovery !== undefined && html` open`}>
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
  { problems }: Texts,
  kind: RefusedCode['kind'],
  outcome: 'refused' | 'missing',
): string {
  if (outcome === 'missing') return problems.missingCode;
  return kind === 'totp' ? problems.wrongCode : problems.wrongRecoveryCode;
}
