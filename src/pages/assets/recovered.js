import { button, element, notice } from './dom.js';
import { isHistory } from './history.js';
import { endOthers } from './sessions.js';
import { setUp } from './setup.js';
import { takeAway } from './take_away.js';
import { say, timed } from './texts.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').HistoryAnswer['events'][number]} Happening
 */

/**
 * @typedef {object} Answers
 * @property {Promise<import('./history.js').HistoryAnswer>} asked
 * @property {import('./history.js').Names} names
 * @property {Promise<boolean>} others whether there may be other devices
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
 * @param {Answers} answers
 */
export function recoveredBanner(page, answers) {
  const { asked, names } = answers;
  const place = element('div', { class: 'recovered' });
  if (page.recovered) place.replaceChildren(here(page, answers));
  void show();
  return place;

  async function show() {
    const answer = await asked;
    if (answer.is !== 'done' || !isHistory(answer.body)) return;
    const last = answer.body.events.find(({ event }) => FACTOR.test(event));
    const isRecovery = last?.event === 'recovery.used';
    if (page.recovered && last !== undefined && !isRecovery) place.replaceChildren();
    if (page.recovered || last === undefined || !isRecovery || isDismissed(last)) return;
    place.replaceChildren(earlier(page, last, { ...answers, known: await names }));
  }
}

/**
 * The code was given at the sign-in here: while that stands for the next step, no other is needed.
 *
 * @param {AccountPage} page
 * @param {Answers} answers
 */
function here(page, { others }) {
  const count = page.state.codes?.remaining ?? 0;
  const text = element('p', {});
  tell();
  return banner(page, { text, others });

  function tell() {
    const isSteppedUp = page.isSteppedUp();
    text.textContent = isSteppedUp ? textNow(count) : say('recovered.again', { count });
    // The buttons stay, with the focus that one of them may have.
    if (isSteppedUp) setTimeout(() => text.isConnected && tell(), page.stepUpUntil - Date.now());
  }
}

/** @param {number} count */
function textNow(count) {
  return count === 0 ? say('recovered.last') : say('recovered.text', { count });
}

/**
 * @param {AccountPage} page
 * @param {Happening} used
 * @param {Pick<Answers, 'others'> & { known: Map<string, string> }} answers
 */
function earlier(page, used, { others, known }) {
  const device = known.get(used.device_id ?? '') ?? used.address ?? say('sessions.unnamed');
  const text = timed((date) => page.say('recovered.earlier', { date, device }), used.at);
  const dismissal = button(
    say('recovered.dismiss'),
    () => {
      dismiss(used);
      takeAway(shown);
    },
    { look: 'second' },
  );
  const shown = banner(page, { text: element('p', {}, text), others, dismissal });
  return shown;
}

/**
 * @param {AccountPage} page
 * @param {{ text: HTMLElement, others: Promise<boolean>, dismissal?: HTMLElement }} parts
 */
function banner(page, { text, others, dismissal }) {
  const [lost, ...more] = page.state.authenticators;
  const endAll = button(say('sessions.signOutOthers'), () => endOthers(page), { look: 'second' });
  // Offered where there are some, or where that is not known: then it is looked up.
  endAll.hidden = true;
  void others.then((isOffered) => {
    endAll.hidden = !isOffered;
  });
  return notice(
    'warning',
    element('h2', {}, say('recovered.title')),
    text,
    element(
      'div',
      { class: 'actions' },
      lost && more.length === 0 && button(say('confirm.replace'), () => void setUp(page, lost)),
      endAll,
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
