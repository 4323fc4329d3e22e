import { join } from 'node:path';
import { run } from '../../src/cli/program.ts';
import { systemRandom } from '../../src/system/random.ts';
import type { TestApp } from './app.ts';

/** What a command said and how it ended. */
export interface Operated {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Types a command for the application of a test; the operator says yes to all questions. */
export async function operate(app: TestApp, ...words: string[]): Promise<Operated> {
  const said = { out: [] as string[], err: [] as string[] };
  const code = await run([...words, '--config', join(app.directory, 'config.yaml')], {
    environment: {},
    clock: app.clock,
    random: systemRandom,
    out: (...lines) => void said.out.push(...lines),
    csv: () => undefined,
    err: (...lines) => void said.err.push(...lines),
    confirm: async () => true,
    untilStopped: async () => undefined,
    onReload: () => undefined,
    dialogue: () => undefined,
    untilFault: () => new Promise(() => undefined),
  });
  return { code, out: said.out.join('\n'), err: said.err.join('\n') };
}
