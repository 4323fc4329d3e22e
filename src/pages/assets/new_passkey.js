import { button, element, form } from './dom.js';
import { makePasskey } from './passkey.js';
import { problemText, say } from './texts.js';

/**
 * Has the browser make a passkey, or a security key keep one.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {import('./answers.d.ts').WebauthnSetupAnswer} setup
 * @param {import('./set_up_way.js').SetUpWay} way
 */
export function showNewPasskey(page, setup, way) {
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, say('setup.passkeyText')),
    way.fields,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, say('setup.next')),
      button(say('shell.cancel'), () => way.cancel(), { look: 'plain' }),
    ),
  );
  page.show(
    element(
      'section',
      { class: 'card step-card' },
      element('h1', {}, way.title),
      element('h2', {}, say('auth.passkey')),
      sheet,
    ),
  );

  async function submit() {
    const made = await makePasskey(setup.public_key);
    // A user who closed the browser's prompt knows.
    if (made.is === 'given_up') return undefined;
    if (made.is === 'known') return refuse(say('setup.passkeyKnown'));
    if (made.is === 'failed') return refuse(say('setup.passkeyFailed'));
    const answer = await way.confirm({ credential: made.credential });
    if (answer.is === 'done') return way.confirmed(answer.body);
    if (answer.status === 403) return refuse(say('setup.passkeyRefused'));
    if (answer.status === 404) return way.expired();
    return refuse(problemText(answer));
  }
}
