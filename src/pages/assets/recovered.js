import { button, element, notice } from './dom.js';
import { isHistory } from './history.js';
import { endOthers } from './sessions.js';
import { setUp } from './setup.js';
import { say, timed } from './texts.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').HistoryAnswer['events'][number]} Happening
 */

/** A factor that was given, or set up with its first code; what an operator gave out is neither. */
const FACTOR = /^(?!emergency_code\.)(?:recovery\.used|(?!recovery\.)\w+\.(?:used|added|enabled))$/;
/** When the recovery code was used of which this browser's user said that nothing is lost. */
const DISMISSED = 'm2fa-recovery-code-dismissed';

/**
 * After a recovery code the authenticator may be lost or stolen: replacing it and ending other devices are both offered,
 * until a factor is used that is none of these codes.
 *
 * @param {AccountPage} page
 * @param {{ asked: Promise<import('./history.js').HistoryAnswer>, names: import('./history.js').Names }} answers
 */
export function recoveredBanner(page, { asked, names }) {
  const place = element('div', { class: 'recovered' });
  if (page.recovered) showHere(page, place);
  void show();
  return place;

  async function show() {
    const answer = await asked;
    if (answer.is !== 'done' || !isHistory(answer.body)) return;
    const last = answer.body.events.find(({ event }) => FACTOR.test(event));
    const isRecovery = last?.event === 'recovery.used';
    if (page.recovered && last !== undefined && !isRecovery) place.replaceChildren();
    if (page.recovered || last === undefined || !isRecovery || isDismissed(last)) return;
    place.replaceChildren(earlier(page, last, await names));
  }
}

/**
 * The code was given at the sign-in here: while that stands for the next step, no other is needed.
 *
 * @param {AccountPage} page
 * @param {HTMLElement} place
 */
function showHere(page, place) {
  const count = page.state.codes?.remaining ?? 0;
  const isSteppedUp = page.isSteppedUp();
  const text = !isSteppedUp ? say('recovered.again', { count }) : textNow(count);
  place.replaceChildren(banner(page, element('p', {}, text)));
  if (!isSteppedUp) return;
  setTimeout(() => {
    if (place.isConnected && place.firstChild !== null) showHere(page, place);
  }, page.stepUpUntil - Date.now());
}

/** @param {number} count */
function textNow(count) {
  return count === 0 ? say('recovered.last') : say('recovered.text', { count });
}

/**
 * @param {AccountPage} page
 * @param {Happening} used
 * @param {Map<string, string>} names
 */
function earlier(page, used, names) {
  const device = names.get(used.device_id ?? '') ?? used.address ?? say('sessions.unnamed');
  const text = timed((date) => page.say('recovered.earlier', { date, device }), used.at);
  const shown = banner(
    page,
    element('p', {}, text),
    button(
      say('recovered.dismiss'),
      () => {
        dismiss(used);
        shown.remove();
        document.querySelector('h1')?.focus();
      },
      { look: 'second' },
    ),
  );
  return shown;
}

/**
 * @param {AccountPage} page
 * @param {HTMLElement} text
 * @param {HTMLElement} [dismissal]
 */
function banner(page, text, dismissal) {
  const [lost, ...others] = page.state.authenticators;
  return notice(
    'warning',
    element('h2', {}, say('recovered.title')),
    text,
    element(
      'div',
      { class: 'actions' },
      lost && others.length === 0 && button(say('confirm.replace'), () => void setUp(page, lost)),
      button(say('sessions.signOutOthers'), () => void endOthers(page), { look: 'second' }),
      dismissal,
    ),
  );
}

/** @param {Happening} used */
function isDismissed({ at }) {
  try {
    return localStorage.getItem(DISMISSED) === String(at);
  } catch {
    // The browser keeps nothing for this site.
    return false;
  }
}

/** @param {Happening} used */
function dismiss({ at }) {
  try {
    localStorage.setItem(DISMISSED, String(at));
  } catch {
    // It is asked again at the next visit.
  }
}
