import { appendFileSync, writeFileSync } from 'node:fs';

/** One figure of a bench. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The name of the figure that it is compared with; null where it stands for itself. */
  readonly ratio_to: string | null;
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
