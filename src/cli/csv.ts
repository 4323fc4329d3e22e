/** What a spreadsheet would take for the beginning of a formula. */
const FORMULA = /^[=+-]/;
const NEEDS_QUOTES = /[",\r\n]/;

export type CsvValue = string | number | boolean | null;

/** A line of CSV (RFC 4180) without its end; a text that could be a formula has a `'` before it. */
export function csvLine(values: readonly CsvValue[]): string {
  return values.map(cell).join(',');
}

function cell(value: CsvValue): string {
  if (value === null) return '';
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A time in ms as spreadsheets read it. */
export function csvTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
