import type { Language } from '../../system/languages.ts';
import { german } from './de.ts';
import { english, type Texts } from './en.ts';

const TEXTS: Readonly<Record<Language, Texts>> = { en: english, de: german };

/** All texts in one language. */
export function textsIn(language: Language): Texts {
  return TEXTS[language];
}

/** `text` with its `{places}` filled. A place without a value stays as it is. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** A text for one and one for every other number, with `{count}` in it. */
export interface CountedText {
  readonly one: string;
  readonly other: string;
}

/** The form of `text` that goes with `count`. English and German have the same two. */
export function counted(text: CountedText, count: number): string {
  return fill(count === 1 ? text.one : text.other, { count });
}
