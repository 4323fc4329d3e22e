import { CodeField } from './code_field.js';
import { button, element, Field, form } from './dom.js';
import { setUpInSignIn } from './setup.js';
import { fill, problems, problemText, texts } from './texts.js';
import { CALLS, ENROLMENT_STAGE, OWN_PROVIDER, PASSWORD_STAGE, RECOVERY_STAGE } from './wire.js';

/**
 * The two cards of signing in by the native door: password, then code.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {HTMLElement} [flash] what has to be said first
 */
export function showSignIn(page, flash) {
  const name = new Field(texts.signIn.name, {
    name: 'username',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  const password = new Field(texts.signIn.password, {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
  });
  const otherWay = element('p', { class: 'muted', role: 'status' });
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, texts.signIn.intro),
    name.element,
    password.element,
    otherWay,
    element('button', { class: 'button full', type: 'submit' }, texts.signIn.submit),
  );
  page.show(
    element('section', { class: 'card narrow' }, element('h1', {}, texts.signIn.title), flash, sheet),
  );
  if (flash === undefined) name.input.focus();

  async function submit() {
    const answer = await page.api.call(CALLS.login, {
      type: PASSWORD_STAGE,
      identifier: { type: 'm.id.user', user: name.value.trim() },
      password: password.value,
      initial_device_display_name: texts.signIn.device,
    });
    if (answer.is === 'done') page.enter(answer.body);
    else if (answer.is === 'challenge' && owesSetUp(answer.body))
      void setUpInSignIn(page, { session: answer.body.session, user: name.value.trim() });
    else if (answer.is === 'challenge') showCode(page, answer.body.session);
    else if (answer.status === 429 || answer.status === 0 || answer.status >= 500)
      refuse(problemText(answer));
    else {
      password.fail(problems.wrongPassword);
      otherWay.textContent = await otherWayText(page);
    }
  }
}

/**
 * Whether the server lets this user in only with a factor that they have yet to set up.
 *
 * @param {import('./answers.d.ts').Challenge} challenge
 */
function owesSetUp({ flows }) {
  return flows.some(({ stages }) => stages.includes(ENROLMENT_STAGE));
}

/**
 * Says that accounts of the homeserver's single sign-on have no password here: their users could not know.
 *
 * @param {import('./page.js').AccountPage} page
 */
async function otherWayText(page) {
  const answer = await page.api.call(CALLS.loginFlows);
  const flows = answer.is === 'done' ? answer.body.flows : [];
  const names = flows
    .flatMap((flow) => flow.identity_providers ?? [])
    .filter(({ id }) => id !== OWN_PROVIDER)
    .map(({ name }) => name);
  return names.length === 0
    ? ''
    : fill(texts.signIn.otherWay, { providers: names.join(` ${texts.signIn.or} `) });
}

/**
 * @param {import('./page.js').AccountPage} page
 * @param {string} session
 */
function showCode(page, session) {
  const intro = element('p', {}, texts.signIn.codeIntro);
  const code = new CodeField({
    onComplete: () => sheet.requestSubmit(),
    onKind: (isRecovery) => {
      intro.textContent = isRecovery ? texts.signIn.recoveryIntro : texts.signIn.codeIntro;
    },
  });
  const { element: sheet, refuse } = form(
    submit,
    intro,
    code.element,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, texts.signIn.confirm),
    ),
  );
  page.show(
    element(
      'section',
      { class: 'card narrow' },
      element('h1', {}, texts.signIn.codeTitle),
      sheet,
      element('p', { class: 'muted' }, texts.code.noneLeft),
      button(texts.signIn.back, () => showSignIn(page), { look: 'link' }),
    ),
  );
  code.field.input.focus();

  async function submit() {
    code.clear();
    if (code.isMissing()) {
      code.field.fail(problems.missingCode);
      return;
    }
    const { stage, token } = code;
    const answer = await page.api.call(CALLS.login, { auth: { type: stage, session, token } });
    if (answer.is === 'done') page.enter(answer.body, stage === RECOVERY_STAGE);
    else if (answer.is === 'challenge' && answer.body.session === session) code.refuse();
    else if (answer.status === 401) page.leave(texts.signIn.tooMany);
    else if (answer.status === 403) page.leave(texts.signIn.tooLate);
    else refuse(problemText(answer));
  }
}
