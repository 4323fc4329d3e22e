import { pages as english } from './en/pages.ts';
import type { SayText, TextKey, Translation } from './keys.ts';

/** The texts for one reader. */
export interface Say extends SayText {
  /** Of `<html lang>`. */
  readonly language: string;
  /** All texts, unfilled: for scripts. */
  readonly texts: Readonly<Record<TextKey, string>>;
  /** A text with its places unfilled, in the form that goes with `count`. */
  form(key: TextKey, count?: number): string;
}

/** The order of plural forms in a text; each language has some of them. */
const PLURAL_FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;
/** Stands between them. */
export const BETWEEN_FORMS = ' ‖ ';

/** The texts of the pages in all languages. */
export class PageTexts {
  readonly #said = new Map<string, Say>();

  /** @param otherwise the language of readers who ask for none that there is */
  constructor(
    private readonly translations: ReadonlyMap<string, Translation>,
    readonly otherwise: string = 'en',
  ) {}

  /** The tags of the languages that there are. */
  get languages(): readonly string[] {
    return [...this.translations.keys()];
  }

  /** The texts in a language; in English where it has no text, or is not there. */
  in(language: string): Say {
    const known = this.#said.get(language);
    if (known !== undefined) return known;
    const translation = this.translations.get(language);
    if (translation === undefined && language !== 'en') return this.in('en');
    const made = sayOf(language, { ...english, ...translation });
    this.#said.set(language, made);
    return made;
  }
}

/** The plural forms of a language, in the order in which a text has them. */
export function pluralForms(language: string): readonly string[] {
  const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
  return PLURAL_FORMS.filter((category) => pluralCategories.includes(category));
}

/** `text` with its `{places}` filled. A place without a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

function sayOf(language: string, texts: Readonly<Record<TextKey, string>>): Say {
  const rules = new Intl.PluralRules(language);
  const categories = pluralForms(language);
  const form = (key: TextKey, count?: number) => {
    const forms = texts[key].split(BETWEEN_FORMS);
    const at = count === undefined ? 0 : categories.indexOf(rules.select(count));
    return forms[Math.min(at, forms.length - 1)] ?? '';
  };
  const say = (key: TextKey, values: Readonly<Record<string, string | number>> = {}) =>
    fill(form(key, typeof values.count === 'number' ? values.count : undefined), values);
  return Object.assign(say as SayText, { language, texts, form });
}
