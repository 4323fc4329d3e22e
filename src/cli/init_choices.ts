import { typedPostgresUrl } from '../config/postgres_url.ts';
import { BadValue, parseHelpUrl, parseNetwork, parseOrigin, parsePublicOrigin } from '../config/values.ts';
import { CommandFailed, UsageError } from './failures.ts';
import type { Dialogue, Surroundings } from './surroundings.ts';

/** What `init` writes, and how each is asked for. */
interface Choice<Value> {
  readonly option: string;
  readonly question: string;
  /** @throws BadValue */
  parse(written: string): Value;
}

/** The line of the configuration that says where the database is. @throws BadValue */
function storageText(where: string): string {
  if (where === 'sqlite') return '{ type: sqlite, path: data/2fa.db }';
  if (!where.startsWith('sqlite:'))
    return `{ type: postgres, url: ${JSON.stringify(typedPostgresUrl(where))} }`;
  const path = where.slice('sqlite:'.length);
  if (path === '') throw new BadValue('sqlite: must name a file');
  return `{ type: sqlite, path: ${JSON.stringify(path)} }`;
}

const NONE = 'none';

export const HOMESERVER: Choice<string> = {
  option: '--homeserver',
  question: 'Where does the homeserver answer?',
  parse: parseOrigin,
};

export const PUBLIC_URL: Choice<string> = {
  option: '--public-url',
  question: 'Which address do clients use?',
  parse: parsePublicOrigin,
};

export const STORAGE: Choice<string> = {
  option: '--storage',
  question: 'Which database? sqlite, sqlite:PATH or postgres://user@host:5432/database',
  parse: storageText,
};

export const TRUSTED_PROXIES: Choice<readonly string[]> = {
  option: '--trusted-proxy',
  question: 'Addresses of the web servers in front, or none?',
  parse: (written) => (written === NONE ? [] : written.split(/[\s,]+/).map(parseNetwork)),
};

export const HELP_CONTACT: Choice<string | undefined> = {
  option: '--help-contact',
  question: 'Where do people find help who have lost everything? https://…, mailto:… or none',
  parse: (written) => (written === NONE ? undefined : parseHelpUrl(written)),
};

/**
 * Finds the value of each choice: the option's; or, on a terminal, what is answered; or what is known already.
 */
export class Chooser {
  constructor(
    private readonly dialogue: Dialogue | undefined,
    private readonly surroundings: Pick<Surroundings, 'err'>,
  ) {}

  /**
   * @param given the option
   * @param known the default
   * @throws UsageError if the option cannot be used; CommandFailed if the questions are broken off
   */
  async choose<Value>(choice: Choice<Value>, given: string | undefined, known: string): Promise<Value> {
    if (given !== undefined) return fromOption(choice, given);
    if (this.dialogue === undefined) return choice.parse(known);
    for (;;) {
      const answer = await this.dialogue.ask(`${choice.question} [${known}] `);
      if (answer === undefined) throw new CommandFailed('broken off: nothing was written');
      try {
        return choice.parse(answer.trim() || known);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        this.surroundings.err(`  ${error.message}`);
      }
    }
  }
}

/** @throws UsageError if the option is given and cannot be used */
export function fromOption<Value>(
  { option, parse }: Pick<Choice<Value>, 'option' | 'parse'>,
  given: string,
): Value {
  try {
    return parse(given);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${option} ${error.message}`);
    throw error;
  }
}
