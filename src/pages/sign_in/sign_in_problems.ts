import type { Answer } from '../../http/answer.ts';
import { type PageVisit, problemCard } from '../forms/form_pages.ts';

/** The client did not say where to go back to, or named a place that is not allowed. */
export function badRedirect({ texts, render }: PageVisit): Answer {
  const { title, badRedirect: text, badRedirectHint } = texts.problems;
  const outcome = { is: 'refused', reason: 'request' } as const;
  return render({
    title,
    refusal: { status: 400, outcome },
    body: () => problemCard(texts, text, badRedirectHint),
  });
}

/** The sign-in is over: finished, taken by another client with the same password and code, or too old. */
export function ended({ texts, render }: PageVisit): Answer {
  const { title, ended: text, endedHint } = texts.problems;
  const outcome = { is: 'refused', reason: 'session' } as const;
  return render({
    title,
    refusal: { status: 403, outcome },
    body: () => problemCard(texts, text, endedHint),
  });
}
