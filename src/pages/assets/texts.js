import { region } from './region.js';

/**
 * The texts of the page and how numbers and times are put into them.
 *
 * @typedef {import('../texts/keys.ts').TextKey} TextKey
 */

/** `events`: what factors call what happened to them.
 * @type {{ events: Record<string, string>, said: Record<TextKey, string>, digits: number, devicePasswords: boolean, accountRecovery: boolean, passkeys: boolean, withoutPassword: boolean }} */
const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}');

/** `devicePasswords`, `accountRecovery`, `passkeys`: whether the operator has them on; `withoutPassword`: whether accounts may have none. */
export const { digits, devicePasswords, accountRecovery, passkeys, withoutPassword } = data;

const times = new Intl.DateTimeFormat(region, { dateStyle: 'medium', timeStyle: 'short' });
const clocks = new Intl.DateTimeFormat(region, { timeStyle: 'short' });
const days = new Intl.DateTimeFormat(region, { dateStyle: 'medium' });

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function fill(text, values) {
  return text.replaceAll(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/** Where a refusal does not say how long to wait. */
const USUAL_WAIT_MS = 30_000;
/** The last time that a date can hold, in ms (ECMA-262, "Time Values and Time Range"). */
const LAST_TIME = 8.64e15;

const plurals = new Intl.PluralRules(document.documentElement.lang);
/** The order of plural forms in a text, as in `pages/texts/texts.ts`. */
const categories = ['zero', 'one', 'two', 'few', 'many', 'other'].filter((category) =>
  plurals.resolvedOptions().pluralCategories.some((known) => known === category),
);

/**
 * Says a text in the language of the page: `say('codes.title')`, `say('codes.left', { count, total })`.
 *
 * @type {import('../texts/keys.ts').SayText}
 */
export const say = (key, ...values) => formOf(key, values[0] ?? {});

/**
 * @param {TextKey} key
 * @param {Record<string, string | number>} places
 */
function formOf(key, places) {
  const forms = data.said[key].split(' ‖ ');
  const at = typeof places.count === 'number' ? categories.indexOf(plurals.select(places.count)) : 0;
  return fill(forms[Math.min(at, forms.length - 1)] ?? '', places);
}

/**
 * Texts that speak of the password, and those that do not.
 *
 * @type {Partial<Record<TextKey, TextKey>>}
 */
const WITHOUT_PASSWORD = {
  'status.onText': 'status.onText.noPassword',
  'status.offText': 'status.offText.noPassword',
  'recovered.earlier': 'recovered.earlier.noPassword',
  'history.intro': 'history.intro.noPassword',
  'login.held_ended': 'login.held_ended.noPassword',
  'off.text': 'off.text.noPassword',
  'end.title': 'end.title.noPassword',
};

/**
 * The key of what is said where an account has no password. It has the same places.
 *
 * @template {TextKey} Key
 * @param {Key} key
 */
export function keyWithoutPassword(key) {
  return /** @type {Key} */ (WITHOUT_PASSWORD[key] ?? key);
}

/**
 * What happened, in words; undefined if there is no text that these values fill. Factors that the pages do not know have
 * words of their own, in `events`.
 *
 * @param {string} event as the server names it
 * @param {Record<string, string | number>} values
 */
export function eventText(event, values) {
  if (!Object.hasOwn(data.said, event)) return data.events[event];
  const key = /** @type {TextKey} */ (event);
  const places = [...data.said[key].matchAll(/\{(\w+)\}/g)].map(([, place = '']) => place);
  return places.every((place) => Object.hasOwn(values, place)) ? formOf(key, values) : data.events[event];
}

/** @param {number} time in ms */
export function timeText(time) {
  return times.format(time);
}

/** @param {number} time in ms */
export function clockText(time) {
  return clocks.format(time);
}

/** @param {number} time in ms */
export function dayText(time) {
  return days.format(time);
}

/**
 * A text with a time in it, which programs can read too.
 *
 * @param {(date: string) => string} text with the time as `date`
 * @param {number} time in ms
 * @param {(time: number) => string} [shown]
 */
export function timed(text, time, shown = timeText) {
  const place = '\u0000';
  // No calendar has it.
  if (!(Math.abs(time) <= LAST_TIME)) return [text('?')];
  const [before = '', after = ''] = text(place).split(place);
  const date = document.createElement('time');
  date.dateTime = new Date(time).toISOString();
  date.textContent = shown(time);
  // What is unknown after the time is left out, with the sign before it.
  return [before, date, after.replace(/ · $/, '')];
}

/**
 * Why something could not be loaded.
 *
 * @param {{ status: number, body: unknown }} answer
 */
export function reasonText({ status, body }) {
  if (status !== 429) return say('reason.down');
  const wait = typeof body === 'object' && body !== null && 'retry_after_ms' in body && body.retry_after_ms;
  return say('reason.limited', { time: waitText(typeof wait === 'number' ? wait : USUAL_WAIT_MS) });
}

/** @param {number} wait in ms */
function waitText(wait) {
  const seconds = Math.max(1, Math.ceil(wait / 1000));
  if (seconds < 90) return say('time.seconds', { count: seconds });
  return say('time.minutes', { count: Math.ceil(seconds / 60) });
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
  if (status === 429) return say('problem.wait', { time: waitText(body.retry_after_ms ?? USUAL_WAIT_MS) });
  if (status === 0 || status >= 500) return say('reason.down');
  return say('problem.unexpected', { text: body.error ?? String(status) });
}
