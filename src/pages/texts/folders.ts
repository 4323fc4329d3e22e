import { pages as german } from './de/pages.ts';
import { sie } from './de/sie.ts';
import { pages as english } from './en/pages.ts';
import type { Translation } from './keys.ts';

/** What the folder of a language holds. */
interface LanguageFolder {
  readonly pages: Translation;
  /** By name, e.g. `sie`: only the texts that differ. */
  readonly variants: ReadonlyMap<string, Translation>;
}

/** Every language that has a folder here, by its tag. */
export const languageFolders: ReadonlyMap<string, LanguageFolder> = new Map([
  ['de', { pages: german, variants: new Map([['sie', sie]]) }],
  ['en', { pages: english, variants: new Map() }],
]);
