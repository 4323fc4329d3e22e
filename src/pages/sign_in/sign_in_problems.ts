import type { Answer } from '../../http/answer.ts';
import { type PageVisit, problemCard } from '../forms/form_pages.ts';

/** The client did not say where to go back to, or named a place that is not allowed. */
export function badRedirect({ texts, render }: PageVisit): Answer {
  const { title, badRedirect: text, badRedirectHint } = texts.problems;
  return render({ title, status: 400, body: () => problemCard(texts, text, badRedirectHint) });
}

/** The sign-in is over: finished, taken by another client with the same password and code, or too old. */
export function ended({ texts, render }: PageVisit): Answer {
  const { title, ended: text, endedHint } = texts.problems;
  return render({ title, status: 403, body: () => problemCard(texts, text, endedHint) });
}
