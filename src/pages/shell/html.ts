/** Text that is safe inside an HTML document. Only `html` and `jsonBlock` make it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may be put into `html`: everything but `Html` is escaped; false and undefined are left out. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/**
 * Markup with values put in. Whatever is not `Html` itself is escaped, so that a value can become no markup (attack 67).
 * Values belong between tags or inside quoted attributes, never into an unquoted attribute, a script or a style.
 */
export function html(markup: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const text = markup.map((part, at) => part + (at < values.length ? written(values[at]) : ''));
  return new Html(text.join(''));
}

/**
 * A text with markup in its places, e.g. a name that stands out; all else is escaped.
 *
 * @param text as `Say.form` gives it
 */
export function htmlIn(text: string, values: Readonly<Record<string, HtmlValue>>): Html {
  const parts = text.split(/\{(\w+)\}/);
  // Every second part is the name of a place.
  return html`${parts.map((part, at) => (at % 2 === 0 ? part : (values[part] ?? `{${part}}`)))}`;
}

/**
 * Data for the scripts of a page, in an element that no browser runs.
 *
 * @param value anything that JSON can hold
 */
export function jsonBlock(id: string, value: unknown): Html {
  // Inside a script element nothing is unescaped; only `<` could end it or begin a comment.
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return html`<script type="application/json" id="${id}">${new Html(json)}</script>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(written).join('');
  return String(value).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
