import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type TextsFile } from './config.ts';
import { readConfigSource } from './source.ts';
import { BadValue } from './values.ts';

const MOST_CHARACTERS = 2000;
const ENDING = '.yaml';

/**
 * The texts in a folder of the operator, a file for each language.
 *
 * @throws BadValue if the folder cannot be read
 * @throws ConfigError that names the file, and the text that cannot be used
 */
export function readTexts(folder: string): readonly TextsFile[] {
  return namesIn(folder).map((name) => readFile(folder, name));
}

/** The tag of a language as it is written everywhere, e.g. `pt-BR`. @throws BadValue */
export function languageTag(written: string): string {
  try {
    return new Intl.Locale(written).baseName;
  } catch {
    throw new BadValue('must be the tag of a language, such as en, de or pt-BR');
  }
}

function namesIn(folder: string): string[] {
  try {
    // Editors and systems leave hidden files.
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    throw new BadValue(`cannot read the folder ${folder}`);
  }
}

function readFile(folder: string, name: string): TextsFile {
  const file = join(folder, name);
  const language = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : '';
  if (!isTag(language)) {
    throw new ConfigError(`${file}: must be named by the tag of a language, as in de.yaml or pt-BR.yaml`);
  }
  const { settings, where } = readConfigSource(file, {});
  const texts = Object.entries(settings).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') throw new ConfigError(`${where([key])}: must be a text`);
    if (text.length > MOST_CHARACTERS) {
      throw new ConfigError(`${where([key])}: must not be longer than ${MOST_CHARACTERS} characters`);
    }
    return [key, text];
  });
  return { language, file, texts: Object.fromEntries(texts), where: (key) => where([key]) };
}

function isTag(text: string): boolean {
  try {
    return languageTag(text) === text;
  } catch {
    return false;
  }
}
