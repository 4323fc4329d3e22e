import { button, element, Field, notice } from './dom.js';
import { askProof } from './proof.js';
import { say } from './texts.js';
import { CALLS } from './wire.js';

/**
 * The password, and the end of the account: apps that sign in by OAuth offer neither.
 *
 * @param {import('./page.js').AccountPage} page
 */
export function accountEndCard(page) {
  return element(
    'section',
    { class: 'card', id: 'account-end', 'aria-labelledby': 'account-end-title' },
    element(
      'header',
      {},
      element('h2', { id: 'account-end-title' }, page.say('end.title')),
      element('p', {}, say('end.intro')),
    ),
    element(
      'div',
      { class: 'actions plainrow' },
      page.hasPassword &&
        button(say('end.password'), () => void changePassword(page), { look: 'second row' }),
      button(say('end.deactivate'), () => void deactivate(page), { look: 'second row' }),
    ),
  );
}

/** @param {import('./page.js').AccountPage} page */
async function changePassword(page) {
  const password = new Field(
    say('end.newPassword'),
    { name: 'new_password', type: 'password', autocomplete: 'new-password' },
    say('end.newPasswordHint'),
  );
  const others = element('input', { type: 'checkbox', name: 'logout_devices' });
  const done = await askProof(page, {
    title: say('end.password'),
    text: say('end.passwordText'),
    action: say('end.password'),
    choice: element(
      'div',
      {},
      password.element,
      element('label', { class: 'check' }, others, say('end.others')),
    ),
    request: () => ({
      call: CALLS.changePassword,
      body: { new_password: password.value, logout_devices: others.checked },
    }),
  });
  // The session of this page ended with the old password.
  if (done !== undefined) page.leave();
}

/** @param {import('./page.js').AccountPage} page */
async function deactivate(page) {
  const done = await askProof(page, {
    title: say('end.deactivate'),
    text: say('end.deactivateText'),
    action: say('end.deactivate'),
    danger: true,
    choice: notice('bad', element('p', {}, say('end.forGood'))),
    request: () => ({ call: CALLS.deactivate, body: { erase: false } }),
  });
  if (done !== undefined) page.leave();
}
