import { type BrandConfig, ConfigError, type TextsFile } from '../../config/config.ts';
import { nearest } from '../../config/nearest.ts';
import { pages as english } from './en/pages.ts';
import { languageFolders } from './folders.ts';
import type { TextKey, Translation } from './keys.ts';
import { BETWEEN_FORMS, PageTexts, pluralForms } from './texts.ts';

type TextSettings = Pick<BrandConfig, 'texts' | 'german' | 'language'>;

/** A form of a text may leave out the number: "one code". */
const COUNT = 'count';
const KEYS: readonly string[] = Object.keys(english);

/**
 * The texts of the pages as the operator wants them: with their own texts, and with their German.
 *
 * @throws ConfigError that names what cannot be used, and where it stands
 */
export function pageTexts({ texts, german, language }: TextSettings): PageTexts {
  const translations = new Map<string, Translation>();
  for (const [tag, { pages, variants }] of languageFolders) {
    translations.set(tag, tag === 'de' ? { ...pages, ...variants.get(german) } : pages);
  }
  for (const file of texts) {
    translations.set(file.language, { ...translations.get(file.language), ...checkedTexts(file) });
  }
  if (!translations.has(language)) {
    const known = [...translations.keys()].join(', ');
    throw new ConfigError(`brand.language: there are no texts in ${language}, only in ${known}`);
  }
  return new PageTexts(translations, language);
}

/** What languages of the operator lack, a remark each. */
export function missingTexts({ texts }: Pick<BrandConfig, 'texts'>): string[] {
  return texts
    .filter(({ language }) => !languageFolders.has(language))
    .map((file) => ({ ...file, missing: KEYS.filter((key) => !(key in file.texts)) }))
    .filter(({ missing }) => missing.length > 0)
    .map(
      ({ file, missing }) =>
        `${file}: ${missing.length} of ${KEYS.length} texts are missing and shown in English, the first is ${missing[0]}`,
    );
}

function checkedTexts({ language, texts, where }: TextsFile): Translation {
  for (const [key, text] of Object.entries(texts)) {
    const problem = isKey(key)
      ? problemOf(text, english[key], pluralForms(language).length)
      : `there is no such text${nearest(key, KEYS)}`;
    if (problem !== undefined) throw new ConfigError(`${where(key)}: ${problem}`);
  }
  return texts;
}

function isKey(key: string): key is TextKey {
  return Object.hasOwn(english, key);
}

/** What is wrong with a text of the operator; undefined if it can be used. */
function problemOf(text: string, original: string, forms: number): string | undefined {
  if (text.trim() === '') return 'is empty';
  const places = placesIn(original);
  const unknown = placesIn(text).find((place) => !places.includes(place));
  if (unknown !== undefined) return `has no place {${unknown}}${nearest(unknown, places)}`;
  const written = text.split(BETWEEN_FORMS);
  const most = original.includes(BETWEEN_FORMS) ? forms : 1;
  if (written.length > most) return `has ${written.length} forms between "‖", where ${most} can be used`;
  for (const place of places) {
    const isThere = (form: string) => form.includes(`{${place}}`);
    if (place === COUNT ? !written.some(isThere) : !written.every(isThere)) return `lacks {${place}}`;
  }
  return undefined;
}

function placesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, place = '']) => place))];
}
