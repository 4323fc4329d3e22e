import { problemBelow, wrongField } from '../forms/fields.ts';
import type { FormPage } from '../forms/form_page.ts';
import { type Html, html } from '../shell/html.ts';
import { LINK_PAGE } from '../sign_in/redirect_targets.ts';
import type { Say } from '../texts/texts.ts';

/** The field for it. */
export const USER_CODE = 'user_code';

/** The form for the code that a device shows. It is never filled from an address. */
export function codePage(say: Say, isWrong: boolean): FormPage {
  const title = say('link.title');
  const refused = isWrong ? { problem: say('link.wrong') } : undefined;
  return {
    title: isWrong ? say('shell.error', { title }) : title,
    body: (tokenField) => html`<section class="card stack"><h1>${title}</h1>
<p>${say('link.intro')}</p>
<form class="stack" method="post" action="${LINK_PAGE}">
${tokenField}
<div class="field">
<label for="user-code">${say('link.code')}</label>
<input id="user-code" name="${USER_CODE}" class="code" type="text" autocomplete="off" autocapitalize="characters"
 spellcheck="false" maxlength="32" autofocus${wrongField('user-code', refused)}>
${problemBelow('user-code', refused)}
</div>
<button class="button full">${say('signIn.next')}</button>
</form></section>`,
  };
}

/** The device has access. */
export function linkedPage(say: Say): FormPage {
  return told(say('link.done.title'), say('link.done.text'));
}

/** It was decided on, it is over, or its code was typed in another browser. */
export function waitsNoMorePage(say: Say): FormPage {
  const page = told(say('link.gone.title'), say('link.gone.text'));
  return { ...page, refusal: { status: 410, outcome: { is: 'refused', reason: 'session' } } };
}

function told(title: string, text: string): FormPage {
  const body = (): Html => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${text}</p></section>`;
  return { title, body };
}
