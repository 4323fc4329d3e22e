/**
 * The texts of the page and how numbers and times are put into them.
 *
 * @typedef {import('../texts/en.ts').Texts} Texts
 * @typedef {import('../texts/keys.ts').TextKey} TextKey
 * @typedef {{ readonly one: string, readonly other: string }} Counted
 */

/** @type {{ texts: Texts['account'], problems: Texts['problems'], said: Record<TextKey, string>, digits: number }} */
const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}');

/** `problems`: what goes wrong on all pages is told in the same words. */
export const { texts, problems, digits } = data;

const language = document.documentElement.lang;
// The reader's own way to write dates, where it goes with the language of the page: `en-GB` for `en`.
const region = navigator.languages.find((name) => name.split('-')[0] === language) ?? language;
const times = new Intl.DateTimeFormat(region, { dateStyle: 'medium', timeStyle: 'short' });
const days = new Intl.DateTimeFormat(region, { dateStyle: 'medium' });

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replaceAll(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/**
 * @param {Counted} text
 * @param {number} count
 * @param {Record<string, string | number>} [more]
 */
export function counted(text, count, more = {}) {
  return fill(count === 1 ? text.one : text.other, { count, ...more });
}

const plurals = new Intl.PluralRules(language);
/** The order of plural forms in a text, as in `pages/texts/texts.ts`. */
const categories = ['zero', 'one', 'two', 'few', 'many', 'other'].filter((category) =>
  plurals.resolvedOptions().pluralCategories.some((known) => known === category),
);

/**
 * Says a text in the language of the page: `say('codes.title')`, `say('codes.left', { count, total })`.
 *
 * @type {import('../texts/keys.ts').SayText}
 */
export const say = (key, ...values) => {
  /** @type {Record<string, string | number>} */
  const places = values[0] ?? {};
  const forms = data.said[key].split(' ‖ ');
  const at = typeof places.count === 'number' ? categories.indexOf(plurals.select(places.count)) : 0;
  return fill(forms[Math.min(at, forms.length - 1)] ?? '', places);
};

/** @param {number} time in ms */
export function timeText(time) {
  return times.format(time);
}

/** @param {number} time in ms */
export function dayText(time) {
  return days.format(time);
}

/** @param {number} wait in ms */
function waitText(wait) {
  const seconds = Math.max(1, Math.ceil(wait / 1000));
  if (seconds < 90) return counted(texts.problem.seconds, seconds);
  return counted(texts.problem.minutes, Math.ceil(seconds / 60));
}

/**
 * An answer that does not bring what was asked for.
 *
 * @typedef {{ status: number, body: { error?: string, retry_after_ms?: number } }} Problem
 */

/**
 * Why a request was refused, in words, where the place has no better ones.
 *
 * @param {Problem} answer
 */
export function problemText({ status, body }) {
  if (status === 429) return fill(texts.problem.wait, { time: waitText(body.retry_after_ms ?? 30_000) });
  if (status === 0 || status >= 500) return problems.unavailable;
  return fill(texts.problem.unexpected, { text: body.error ?? String(status) });
}
