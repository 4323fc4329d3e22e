/**
 * `serve` as an operator starts it, in a process of its own:
 *
 *     const serve = await ServeProcess.start(configFile);
 *     serve.url
 *     await serve.stop();      SIGTERM; throws if it did not end well
 *     await serve.kill();      kill -9
 *
 * Both throw if the last-resort handler was reached: no test but its own may reach it (attack 125).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtProgram } from './built_program.ts';

// Made while a suite is loaded: compiling takes long on a busy machine, and codes that a test holds by then would be over.
builtProgram();

/** The file of the program, for Node. */
export function mainFile(): string {
  return join(builtProgram(), 'src', 'cli', 'main.js');
}

/** A module of this folder that is preloaded into the program (`program.tsconfig.json` lists them). */
export function preloaded(name: string, settings: Record<string, string> = {}): string {
  const module = pathToFileURL(join(builtProgram(), 'test/support', `${name}.js`));
  return `${module}?${new URLSearchParams(settings)}`;
}

export interface ServeOptions {
  /** Modules that are loaded before the program. */
  readonly preload?: readonly string[];
  /** Called as soon as the process is there. */
  readonly onSpawn?: (child: ChildProcess) => void;
  /** A file that takes the log, in the place of `log`. */
  readonly logTo?: string;
  /** Another version of the program, for Node. */
  readonly program?: readonly string[];
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class ServeProcess {
  /** What it wrote to standard error. */
  log = '';
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;

  private constructor(
    readonly child: ChildProcess,
    readonly url: string,
  ) {
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Resolves once it listens. */
  static async start(configFile: string, options: ServeOptions = {}): Promise<ServeProcess> {
    const preload = (options.preload ?? []).flatMap((module) => ['--import', module]);
    const program = options.program ?? [...preload, mainFile()];
    const logFile = options.logTo === undefined ? undefined : openSync(options.logTo, 'a');
    const child = spawn(process.execPath, [...program, 'serve', '--config', configFile], {
      stdio: ['ignore', 'pipe', logFile ?? 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    options.onSpawn?.(child);
    if (logFile !== undefined) closeSync(logFile);
    let early = '';
    child.stderr?.on('data', (chunk) => {
      early += chunk;
    });
    const said = await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'close')]);
    const [url] = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(String(said[0])) ?? [];
    if (url === undefined) throw new Error(`serve said ${said} and ${early}`);
    const serve = new ServeProcess(child, url);
    serve.log = early;
    child.stderr?.on('data', (chunk) => {
      serve.log += chunk;
    });
    return serve;
  }

  /** The lines of the log that say why a process ended by itself. */
  get fatalLines(): string[] {
    return this.log.split('\n').filter((line) => line.includes('"level":"fatal"'));
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const { code, signal } = await this.ended;
    this.requireSound();
    if (code !== 0) throw new Error(`serve ended with ${code ?? signal}: ${this.log}`);
  }

  /** It has no chance to do anything more. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    const { signal } = await this.ended;
    this.requireSound();
    if (signal !== 'SIGKILL') throw new Error(`serve had ended before: ${this.log}`);
  }

  private requireSound(): void {
    if (this.fatalLines.length > 0)
      throw new Error(`serve reached its last resort: ${this.fatalLines.join('\n')}`);
  }
}
