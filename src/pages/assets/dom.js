import { say } from './texts.js';

/**
 * What the scripts of the pages build elements with. Values become text nodes and attributes, never markup.
 *
 * @typedef {Node | string | false | undefined | null | Child[]} Child
 * @typedef {Record<string, string | number | boolean | undefined | ((event: Event) => void)>} Properties
 */

/**
 * An element. A property that is a function listens to the event of its name without `on`; `true` and `false` set
 * and leave out an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  append(made, children);
  return made;
}

/**
 * @param {Element} parent
 * @param {Child[]} children
 */
function append(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child !== false && child !== undefined && child !== null) parent.append(child);
  }
}

/**
 * @param {string} text
 * @param {() => unknown} onPress a promise is waited for: until then the button says that it works, and is not pressed
 * @param {{ look?: string, label?: string }} [options] `label`: what screen readers say instead
 */
export function button(text, onPress, { look = '', label } = {}) {
  let underWay = false;
  const made = element(
    'button',
    { type: 'button', class: `button ${look}`.trim(), onclick: () => void press(), 'aria-label': label },
    text,
  );
  return made;

  async function press() {
    if (underWay) return;
    const work = onPress();
    if (!(work instanceof Promise)) return;
    underWay = true;
    const done = showWork(made);
    try {
      await work;
    } finally {
      underWay = false;
      done();
    }
  }
}

/**
 * A box that says how something went.
 *
 * @param {'good' | 'warning' | 'bad'} kind
 * @param {...Child} children
 */
export function notice(kind, ...children) {
  return element('div', { class: `notice ${kind}`, tabindex: -1 }, ...children);
}

const title = document.title;

/** Says in the title of the document whether something is wrong with what was typed. @param {boolean} isWrong */
export function markTitle(isWrong) {
  document.title = isWrong ? say('shell.error', { title }) : title;
}

let fields = 0;

/** A labelled input with room for a hint and for what is wrong with it. */
export class Field {
  /**
   * @param {string} label
   * @param {Properties} input
   * @param {string} [hint]
   */
  constructor(label, input, hint) {
    fields += 1;
    const id = `field-${fields}`;
    this.label = element('label', { for: id }, label);
    this.input = element('input', { id, 'aria-describedby': `${id}-hint ${id}-problem`, ...input });
    this.hint = element('p', { id: `${id}-hint`, class: 'hint' }, hint);
    this.hint.hidden = hint === undefined;
    this.problem = element('p', { id: `${id}-problem`, class: 'problem' });
    this.problem.hidden = true;
    this.element = element('div', { class: 'field' }, this.label, this.input, this.hint, this.problem);
  }

  get value() {
    return this.input.value;
  }

  /**
   * Says what is wrong and leads there; what was typed stays.
   *
   * @param {string} text
   */
  fail(text) {
    if (!this.element.isConnected) return;
    this.problem.textContent = text;
    this.problem.hidden = false;
    this.input.setAttribute('aria-invalid', 'true');
    markTitle(true);
    this.input.focus();
    this.input.select();
  }

  clear() {
    this.problem.hidden = true;
    this.problem.textContent = '';
    this.input.removeAttribute('aria-invalid');
  }
}

/**
 * Says at a button, and at the form that it sent, that what it does is under way, until what this returns is called.
 *
 * @param {HTMLElement | null} works
 * @param {HTMLElement} [sent]
 */
function showWork(works, sent) {
  sent?.setAttribute('aria-busy', 'true');
  // Not `disabled`, which would take the focus away.
  works?.setAttribute('aria-disabled', 'true');
  works?.setAttribute('data-works', '');
  return () => {
    sent?.removeAttribute('aria-busy');
    works?.removeAttribute('aria-disabled');
    works?.removeAttribute('data-works');
  };
}

/**
 * A form that is sent once at a time. A refusal that belongs to no field stands at its top.
 *
 * @param {() => Promise<void>} submit
 * @param {...Child} children
 */
export function form(submit, ...children) {
  const refusal = notice('bad');
  refusal.hidden = true;
  const made = element(
    'form',
    { novalidate: true, onsubmit: (event) => void send(event) },
    refusal,
    ...children,
  );
  let underWay = false;

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    if (underWay) return;
    underWay = true;
    refusal.hidden = true;
    markTitle(false);
    const done = showWork(event instanceof SubmitEvent ? event.submitter : null, made);
    try {
      await submit();
    } finally {
      underWay = false;
      done();
    }
  }

  /** @param {string} text */
  function refuse(text) {
    // Its dialog was closed meanwhile: the page is not wrong for that.
    if (!made.isConnected) return;
    refusal.replaceChildren(text);
    refusal.hidden = false;
    markTitle(true);
    refusal.focus();
  }

  return { element: made, refuse };
}
