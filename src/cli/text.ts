import { oneLine } from '../system/one_line.ts';

/** A moment as people read it, in UTC: `2026-03-01 14:05 UTC`. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** `1 code`, `2 codes`. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`;
}

/** Columns under their heads, each as wide as its widest cell. Cells may hold what others wrote. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [heads, ...rows].map((cells) => cells.map(oneLine));
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The lines of a value in JSON, for programs: no string in it holds a line end as it is. */
export function jsonLines(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split('\n');
}
