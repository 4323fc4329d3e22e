import { Command } from 'commander';
import { stringify } from 'yaml';
import { languageTag } from '../config/load_texts.ts';
import { BadValue } from '../config/values.ts';
import { pages as english } from '../pages/texts/en/pages.ts';
import { languageFolders } from '../pages/texts/folders.ts';
import { UsageError } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

interface TextsOptions {
  readonly language: string;
  readonly german: string;
}

/** `texts`: the texts of the pages as YAML, to start a file of `brand.texts` from. */
export function textsCommand({ out }: Surroundings): Command {
  return new Command('texts')
    .description('print the texts of the pages as YAML, to start a file of brand.texts from')
    .option('--language <tag>', 'the language; of one that the pages do not have the texts are English', 'en')
    .option('--german <form>', 'German with du or sie', 'du')
    .action(({ language, german }: TextsOptions) => {
      const tag = requireTag(language);
      if (german !== 'du' && german !== 'sie') throw new UsageError('--german must be du or sie');
      const folder = languageFolders.get(tag);
      const variant = tag === 'de' ? folder?.variants.get(german) : undefined;
      out(
        `# The texts of the pages (docs/texts.md): save them as ${tag}.yaml in the folder of brand.texts.`,
        '# What stays as it is may go; {places} stay; what is not in the file is as the program has it.',
        ...Object.entries({ ...english, ...folder?.pages, ...variant }).map(asLine),
      );
    });
}

/** @throws UsageError */
function requireTag(written: string): string {
  try {
    return languageTag(written);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`--language ${error.message}`);
    throw error;
  }
}

function asLine([key, text]: [string, string]): string {
  return stringify({ [key]: text }, { lineWidth: 0 }).trimEnd();
}
