import { changesOf } from '../config/changes.ts';
import type { Config } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ProcessLog } from '../system/logger.ts';

/** From the most lines to the fewest. */
const LEVELS: readonly ProcessLog['level'][] = ['debug', 'info', 'warn', 'error'];

/** The running proxy, as far as it is needed here. */
interface Running {
  /** @returns whether there are other keys. @throws where nothing was taken */
  reload(next: Config): Promise<boolean>;
}

/**
 * Reads the configuration again while `serve` runs (SIGHUP). What cannot be changed now is named, and a faulty file
 * or key file changes nothing.
 */
export class Reload {
  /** What `serve` starts with. */
  readonly start: LoadedConfig;
  private latest: LoadedConfig;
  private isAsked = false;
  private underWay: Promise<void> | undefined;
  private running: { readonly proxy: Running; readonly log: ProcessLog } | undefined;

  /** @throws ConfigError */
  constructor(private readonly load: () => LoadedConfig) {
    this.start = load();
    this.latest = this.start;
  }

  /** From now on it is done when it is asked for; now, if it was before. */
  begin(proxy: Running, log: ProcessLog): void {
    this.running = { proxy, log };
    if (this.isAsked) this.ask();
  }

  /** Reads again: when that which is under way has ended, and when the proxy runs. */
  ask(): void {
    this.isAsked = true;
    this.underWay ??= this.whileAsked().finally(() => {
      this.underWay = undefined;
    });
  }

  private async whileAsked(): Promise<void> {
    while (this.running !== undefined && this.isAsked) {
      this.isAsked = false;
      await this.once(this.running.proxy, this.running.log);
    }
  }

  private async once(proxy: Running, log: ProcessLog): Promise<void> {
    try {
      await this.take(proxy, log);
    } catch (error) {
      log.error(
        { event: 'reload', changed: [], needs_restart: [] },
        `Nothing was changed: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private async take(proxy: Running, log: ProcessLog): Promise<void> {
    const next = this.load();
    const { changed, needsRestart } = changesOf(this.start, this.latest, next);
    const otherKeys = await proxy.reload(next.config);
    this.latest = next;
    const { level } = next.config.log;
    // Said at whichever of the two levels writes more.
    log.level = LEVELS.indexOf(log.level) < LEVELS.indexOf(level) ? log.level : level;
    log.info(
      { event: 'reload', changed: [...changed, ...(otherKeys ? ['keys'] : [])], needs_restart: needsRestart },
      'The configuration was read again',
    );
    log.level = level;
  }
}
