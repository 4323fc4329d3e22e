import { runCheck } from './check.ts';
import { HELP, readOptions } from './options.ts';
import { showDemo } from './show.ts';

/**
 * The demo as it is started on the command line.
 *
 * @returns its exit code: 0, or 1 with one sentence on standard error
 */
export async function runDemo(words: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  // The reader may end (`npm run demo | head`): without this the process would die and leave Synapse behind.
  process.stdout.on('error', () => stop.abort());
  try {
    const options = readOptions(words);
    if (options.help) {
      process.stdout.write(`${HELP}\n`);
      return 0;
    }
    if (options.check) return await runCheck(options, stop.signal);
    await showDemo(options, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 1;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
