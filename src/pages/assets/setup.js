import { element } from './dom.js';
import { proofText } from './factor_field.js';
import { KindChoice } from './kind_choice.js';
import { showNewPasskey } from './new_passkey.js';
import { askProof } from './proof.js';
import { showScan } from './scan.js';
import { SetUpWay } from './set_up_way.js';
import { passkeys, say } from './texts.js';
import { CALLS, PASSKEY } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./page.js').Authenticator} Authenticator
 */

/**
 * Turns 2FA on, or adds an authenticator, or puts one in the place of another: an app, or a passkey where there are some.
 *
 * @param {AccountPage} page
 * @param {Authenticator} [old] the one that is to be replaced
 */
export async function setUp(page, old) {
  const wasOn = page.state.enabled;
  const title = old ? say('auth.replaceOf', { name: old.name }) : say(wasOn ? 'auth.add' : 'setup.title');
  const choice = passkeys ? new KindChoice(page.state.authenticators, old?.kind === PASSKEY) : undefined;
  const text = wasOn && !page.isSteppedUp() ? proofText(page) : say('proof.password');
  const body = old ? { replaces: replacing(page, old) } : {};
  const setup = await askProof(page, {
    title,
    choice: element('div', {}, choice?.element, element('p', {}, text)),
    action: say('proof.submit'),
    stepUp: 'typed',
    request: () => ({ call: callFor(choice), body }),
  });
  if (setup === undefined) return;
  const isPasskey = 'public_key' in setup;
  const way = new SetUpWay(page, {
    title,
    setup,
    done: say(old ? 'setup.doneReplaced' : wasOn ? 'setup.doneAdded' : 'setup.doneOn'),
    usualName: usualName(page, say(isPasskey ? 'setup.passkeyName' : 'setup.defaultName'), old),
    call: isPasskey ? CALLS.confirmPasskey : CALLS.confirmApp,
  });
  if (isPasskey) showNewPasskey(page, setup, way);
  else showScan(page, setup, way);
}

/**
 * @param {KindChoice} [choice]
 * @returns {import('./wire.js').Call<import('./answers.d.ts').TotpSetupAnswer | import('./answers.d.ts').WebauthnSetupAnswer>}
 */
function callFor(choice) {
  return choice?.isPasskey ? CALLS.setUpPasskey : CALLS.setUpApp;
}

/**
 * The only one is replaced as all: its recovery codes may be lost with it, so there are new ones.
 *
 * @param {AccountPage} page
 * @param {Authenticator} old
 */
function replacing({ state }, old) {
  return state.authenticators.length === 1 ? 'all' : [old.id];
}

/**
 * "Authenticator app", then "Authenticator app 2": the first that no other has.
 *
 * @param {AccountPage} page
 * @param {string} name
 * @param {Authenticator} [old]
 */
function usualName({ state }, name, old) {
  const taken = state.authenticators.filter((each) => each !== old).map((each) => each.name);
  for (let number = 1; ; number++) {
    const wanted = number === 1 ? name : `${name} ${number}`;
    if (!taken.includes(wanted)) return wanted;
  }
}
