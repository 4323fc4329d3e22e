import { type Entry, ImportFileError } from './entry.ts';
import { readAutheliaTable, readPlainTable, readPrivacyideaTable } from './tables.ts';
import { readAutheliaTree, readKeycloakTree, readPrivacyideaTree } from './trees.ts';

/** What other programs write. */
export const IMPORT_FORMATS = ['authelia', 'keycloak', 'privacyidea', 'csv'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** No file of these formats with so many entries is longer. */
export const LONGEST_IMPORT_BYTES = 8 * 1024 * 1024;
/** They are written in one commit, which holds others up. */
export const MOST_ENTRIES = 5000;

const READERS: Readonly<Record<ImportFormat, (text: string) => Entry[]>> = {
  authelia: (text) => (isTable(text) ? readAutheliaTable(text) : readAutheliaTree(text)),
  keycloak: readKeycloakTree,
  privacyidea: (text) => (isList(text) ? readPrivacyideaTree(text) : readPrivacyideaTable(text)),
  csv: readPlainTable,
};

export function isImportFormat(name: string): name is ImportFormat {
  return IMPORT_FORMATS.some((format) => format === name);
}

/**
 * What stands in a file that another program wrote.
 * @throws ImportFileError if it is not of this format, too long, or has nothing in it
 */
export function readImport(format: ImportFormat, bytes: Buffer): Entry[] {
  if (bytes.length > LONGEST_IMPORT_BYTES)
    throw new ImportFileError(`more than ${LONGEST_IMPORT_BYTES / 1024 / 1024} MiB: import it in parts`);
  const entries = READERS[format](textIn(bytes));
  if (entries.length === 0) throw new ImportFileError('there is no authenticator in it');
  if (entries.length > MOST_ENTRIES)
    throw new ImportFileError(`more than ${MOST_ENTRIES} authenticators: import it in parts`);
  return entries;
}

function textIn(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ImportFileError('the file is not text in UTF-8');
  }
}

function isTable(text: string): boolean {
  return /^issuer,/i.test(text.trimStart());
}

/** Of YAML. */
function isList(text: string): boolean {
  return /^-\s/.test(text.trimStart());
}
