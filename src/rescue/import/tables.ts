import { CsvError, parse } from 'csv-parse/sync';
import {
  type Entry,
  ImportFileError,
  seedFromBase32,
  seedOfPrivacyidea,
  userOfPrivacyidea,
} from './entry.ts';

/** A row longer than that, in characters, is not of these formats. */
const LONGEST_ROW = 4096;

/** A row with a head, and where it stands. */
interface Row {
  readonly place: string;
  readonly cells: Readonly<Record<string, string>>;
}

/** `authelia storage user totp export csv`. */
export function readAutheliaTable(text: string): Entry[] {
  const columns = ['issuer', 'username', 'algorithm', 'digits', 'period', 'secret'];
  return rowsWithHead(text, columns, []).map(({ place, cells }) => ({
    is: 'found',
    place,
    user: cells.username ?? '',
    algorithm: cells.algorithm ?? '',
    digits: cells.digits ?? '',
    period: cells.period ?? '',
    seed: seedFromBase32(cells.secret ?? ''),
  }));
}

/** Our own table: what is left out is as most apps have it. */
export function readPlainTable(text: string): Entry[] {
  const optional = ['name', 'algorithm', 'digits', 'period'];
  return rowsWithHead(text, ['user_id', 'seed'], optional).map(({ place, cells }) => ({
    is: 'found',
    place,
    user: cells.user_id ?? '',
    name: cells.name || undefined,
    algorithm: cells.algorithm || 'sha1',
    digits: cells.digits || '6',
    period: cells.period || '30',
    seed: seedFromBase32(cells.seed ?? ''),
  }));
}

/**
 * `pi-tokenjanitor find export --format csv`, with `--b32` or without: no head, no quotes. It says neither of what
 * algorithm a token is nor that it is disabled: SHA-1 is taken for granted, and docs/operate.md says how to choose.
 */
export function readPrivacyideaTable(text: string): Entry[] {
  if (/^\s*<(\?xml|[\w:]*KeyContainer)/.test(text)) throw otherFormat('pskc');
  // The export is a Fernet token, or what is in it.
  if (/^\s*(gAAAA|[[{])/.test(text)) throw otherFormat('pi');
  return records(text, { quote: null }).map(({ record, line }) => tokenOf(record, `line ${line}`));
}

function otherFormat(name: string): ImportFileError {
  return new ImportFileError(`this is an export in the format ${name}: make one with --format csv`);
}

function tokenOf(record: readonly string[], place: string): Entry {
  const [owner = '', serial = '', key = '', type = '', digits = '', period = ''] = record;
  const isToken = /^(totp|hotp)$/i.test(type) && (record.length === 5 || record.length === 6);
  if (!isToken) return { is: 'unreadable', place, why: 'this is not a line of pi-tokenjanitor' };
  const user = userOfPrivacyidea(owner);
  if (user === undefined) return { is: 'skipped', place, user: serial, why: 'it has no owner' };
  if (/^hotp$/i.test(type)) return { is: 'skipped', place, user, why: 'it is of the kind HOTP' };
  return { is: 'found', place, user, algorithm: 'sha1', digits, period, seed: seedOfPrivacyidea(key) };
}

/** @throws ImportFileError if a column that is needed is missing, or one is not known */
function rowsWithHead(text: string, needed: readonly string[], optional: readonly string[]): Row[] {
  const [head, ...rows] = records(text, { quote: '"' });
  const names = head?.record.map((name) => name.toLowerCase()) ?? [];
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new ImportFileError(`the first line must name the column ${missing[0]}`);
  const known = [...needed, ...optional];
  const odd = names.findIndex((name, at) => !known.includes(name) || names.indexOf(name) !== at);
  if (odd !== -1)
    throw new ImportFileError(`column ${odd + 1} of the first line must be one of ${known.join(', ')}`);
  return rows.map(({ record, line }) => ({
    place: `line ${line}`,
    cells: Object.fromEntries(names.map((name, at) => [name, record[at] ?? ''])),
  }));
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly line: number;
}

/** @throws ImportFileError with the number of the line; what stands in it is not told */
function records(text: string, { quote }: { readonly quote: '"' | null }): CsvRecord[] {
  try {
    const found = parse(text, {
      info: true,
      quote,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: quote === null,
      max_record_size: LONGEST_ROW,
    }) as unknown as { readonly record: string[]; readonly info: { readonly lines: number } }[];
    return found.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ImportFileError(`line ${Number(error.lines)} cannot be read as a line of a table`);
  }
}
