import type { Answer } from '../../http/answer.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import { type Html, html } from '../shell/html.ts';
import { notAloneCard, saidCard } from './recover_cards.ts';
import { addressOf, type RecoverVisit } from './recover_visit.ts';

export const SCRIPT = 'forms.js';

export function cardOf({ say }: PageVisit, { id, turn }: Visit<RecoverVisit>, tokenField: Html) {
  return { say, action: addressOf(id), hidden: html`${tokenField}${turnField(turn)}` };
}

export function notAlone(visit: PageVisit, seen: Visit<RecoverVisit>): Answer {
  return visit.render({
    title: titleOf(visit, visit.say('recover.doneTitle'), visit.say('recover.notAlone')),
    script: SCRIPT,
    body: (tokenField) => notAloneCard(cardOf(visit, seen, tokenField)),
  });
}

export function said(
  { render }: PageVisit,
  title: string,
  text: Html | string,
  link?: { readonly href: string; readonly text: string },
): Answer {
  return render({ title, body: () => saidCard(title, text, link) });
}

export function doneText({ say }: PageVisit, { haveOthersFailed = false }: RecoverVisit): string {
  return haveOthersFailed ? say('replace.othersFailed') : say('setup.doneOn');
}
