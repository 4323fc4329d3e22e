import { button, element, Field, form, markTitle } from './dom.js';
import { say } from './texts.js';

/**
 * A dialog whose form does one thing. It closes when that is done, or when its user gives up.
 *
 * @param {{ title: string, action: string, danger?: boolean }} words
 * @param {import('./dom.js').Child} content
 * @param {() => Promise<string | undefined>} act what is wrong; undefined if nothing is
 */
export function openDialog({ title, action, danger = false }, content, act) {
  const { element: sheet, refuse } = form(
    submit,
    content,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: `button ${danger ? 'danger' : ''}`.trim(), type: 'submit' }, action),
      button(say('shell.cancel'), () => dialog.close(), { look: 'second' }),
    ),
  );
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'dialog-title', onclose: close },
    element('h2', { id: 'dialog-title' }, title),
    sheet,
  );
  document.body.append(dialog);
  dialog.showModal();

  function close() {
    dialog.remove();
    markTitle(false);
  }

  async function submit() {
    const problem = await act();
    if (problem !== undefined) return refuse(problem);
    dialog.close();
  }
}

/**
 * Asks for another name.
 *
 * @param {{ title: string, label: string, hint: string, name: string }} asked
 * @param {(name: string) => Promise<string | undefined>} rename what is wrong; undefined if nothing is
 */
export function askName({ title, label, hint, name }, rename) {
  const field = new Field(label, { name: 'name', value: name, maxlength: 100, autocomplete: 'off' }, hint);
  openDialog({ title, action: say('auth.rename') }, field.element, async () => {
    const wanted = field.value.trim();
    return wanted === '' || wanted === name ? undefined : rename(wanted);
  });
  field.input.select();
}
