import { type Profiler, Session } from 'node:inspector/promises';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One function of `src/` that ran. */
export interface RanFunction {
  /** Path below `src/`. */
  readonly file: string;
  /** Empty for an arrow function without a name. */
  readonly name: string;
  /** Tells functions of one file apart. */
  readonly offset: number;
}

/** The helper that esbuild adds to every file: it is not ours. */
const ESBUILD_HELPERS = new Set(['__name']);

/** Says which functions below `root` ran, by V8's precise coverage of this process. */
export class CoverageRecorder {
  readonly #session = new Session();

  /** @param root absolute path of `src/` */
  constructor(private readonly root: string) {}

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** What ran since the last call of this method, or since `start`. */
  async takeRan(): Promise<RanFunction[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    return result.flatMap((script) => this.#ranIn(script));
  }

  stop(): void {
    this.#session.disconnect();
  }

  #ranIn(script: Profiler.ScriptCoverage): RanFunction[] {
    if (!script.url.startsWith('file://')) return [];
    const file = relative(this.root, fileURLToPath(script.url)).split(sep).join('/');
    if (file.startsWith('..')) return [];
    return script.functions.flatMap(({ functionName: name, ranges: [range] }) => {
      // The function at offset 0 is the module itself, which ran when it was loaded.
      const isOwn = range !== undefined && range.startOffset > 0 && !ESBUILD_HELPERS.has(name);
      return isOwn && range.count > 0 ? [{ file, name, offset: range.startOffset }] : [];
    });
  }
}
