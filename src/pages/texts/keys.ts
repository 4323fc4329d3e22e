import type { pages as english } from './en/pages.ts';

/** The name of a text, e.g. `signIn.title`. */
export type TextKey = keyof typeof english;

/** The `{places}` of a text. */
type PlacesIn<Text extends string> = Text extends `${string}{${infer Place}}${infer Rest}`
  ? Place | PlacesIn<Rest>
  : never;

/** A value of type `V` for each place of a text. */
export type Filling<K extends TextKey, V> = Readonly<Record<PlacesIn<(typeof english)[K]>, V>>;

/** What `say` is given beside the key: values for the places, where the text has any. */
export type Values<K extends TextKey> = [PlacesIn<(typeof english)[K]>] extends [never]
  ? readonly []
  : readonly [Filling<K, string | number>];

/** Texts of one language. What is missing falls back to English. */
export type Translation = Readonly<Partial<Record<TextKey, string>>>;

/**
 * Says a text in the reader's language: `say('signIn.title')`, `say('code.wait', { time })`. The plural is chosen by
 * `count`. A key or place that English does not have does not compile.
 */
export type SayText = <K extends TextKey>(key: K, ...values: Values<K>) => string;
