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
  const dialog = newDialog(title, sheet);
  dialog.showModal();

  async function submit() {
    const problem = await act();
    if (problem !== undefined) return refuse(problem);
    dialog.close();
  }
}

/**
 * A dialog on the page, not shown yet. It goes when it is closed.
 *
 * @param {string} title
 * @param {HTMLElement} content
 * @param {() => void} [onClosed]
 */
export function newDialog(title, content, onClosed = () => undefined) {
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'dialog-title', onclose: close },
    element('h2', { id: 'dialog-title' }, title),
    content,
  );
  document.body.append(dialog);
  return dialog;

  function close() {
    dialog.remove();
    markTitle(false);
    onClosed();
  }
}

/** One thing at a time, where a second one would spoil what the first has begun. */
export class Work {
  /** @param {() => void} onRest when nothing is under way any more */
  constructor(onRest) {
    this.onRest = onRest;
    /** @type {Promise<void> | undefined} */
    this.underWay = undefined;
  }

  /** A press while something is under way counts nothing. @param {() => Promise<void>} work */
  async begin(work) {
    if (this.underWay !== undefined) return;
    this.underWay = work();
    try {
      await this.underWay;
    } finally {
      this.underWay = undefined;
      this.onRest();
    }
  }

  /** Behind what is under way. @param {() => Promise<void>} work */
  async queue(work) {
    while (this.underWay !== undefined) await this.underWay;
    await this.begin(work);
  }
}

/**
 * Asks for another name.
 *
 * @param {{ title: string, label: string, hint: string, name: string }} asked
 * @param {(name: string) => Promise<string | undefined>} rename what is wrong; undefined if nothing is
 */
export function askName({ title, label, hint, name }, rename) {
  const field = nameField({ label, value: name, hint });
  openDialog({ title, action: say('auth.rename') }, field.element, async () => {
    const wanted = field.value.trim();
    return wanted === '' || wanted === name ? undefined : rename(wanted);
  });
  field.input.select();
}

/** @param {{ label: string, value: string, hint: string }} name */
export function nameField({ label, value, hint }) {
  return new Field(label, { name: 'name', value, maxlength: 100, autocomplete: 'off' }, hint);
}
