import { appendFileSync, writeFileSync } from 'node:fs';

/** One figure of a bench. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The name of the figure that it is compared with; null where it stands for itself. */
  readonly ratio_to: string | null;
}

/** What one run of the benches was asked for. */
export interface BenchRun {
  /** Another tree of this project, to compare with. */
  readonly against: string | undefined;
  /** How long one load lasts, where a bench has such; each has a time of its own for it. */
  readonly seconds: number | undefined;
  /** How often all are measured by turns; each bench has a number of its own for it. */
  readonly rounds: number | undefined;
  /** Takes the figures for machines. */
  report(results: readonly BenchResult[]): void;
}

/** Prints figures with their ratios. */
export function printResults(results: readonly BenchResult[]): void {
  const values = new Map(results.map(({ name, value }) => [name, value]));
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, value, unit, ratio_to } of results) {
    const of = ratio_to === null ? undefined : values.get(ratio_to);
    const ratio = of === undefined ? '' : `${(value / of).toFixed(3)} of ${ratio_to}`;
    const shown = Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
    console.log(`${name.padEnd(width)}  ${shown.padStart(9)} ${unit.padEnd(13)} ${ratio}`.trimEnd());
  }
}

/** Writes the figures of benches for machines: a line of JSON for each bench. */
export class ResultFile {
  constructor(private readonly path: string) {
    writeFileSync(path, '');
  }

  add(bench: string, at: Date, results: readonly BenchResult[]): void {
    const record = { bench, at: at.toISOString(), node: process.version, results };
    appendFileSync(this.path, `${JSON.stringify(record)}\n`);
  }
}
