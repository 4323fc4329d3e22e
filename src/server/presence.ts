import type { Audit } from '../audit/audit.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { LiveProcesses } from '../storage/tables/processes.ts';
import { programVersion } from '../system/version.ts';
import type { MarkKeeper } from '../vault/mark_keeper.ts';

/** This process in the database: others see that it serves, and it is on record. */
export class Presence {
  private isOnRecord = false;

  constructor(
    private readonly deps: {
      readonly mark: MarkKeeper;
      readonly processes: LiveProcesses;
      readonly audit: Audit;
    },
  ) {}

  /**
   * Marks the database, lets other processes see this one before it serves, and puts on record that it does; if the
   * store is away, later.
   */
  enter(): Promise<void> {
    return ifThere(async () => {
      await this.deps.mark.keep();
      await this.deps.processes.announce();
      await this.recordStart();
    });
  }

  /** The same again: what could not be written before is written now. */
  async renew(): Promise<void> {
    const { mark, processes } = this.deps;
    await Promise.all([mark.keep(), processes.announce(), this.recordStart()]);
  }

  /** Other processes no longer have to take this one into account. */
  leave(): Promise<void> {
    return ifThere(async () => {
      if (this.isOnRecord) await this.deps.audit.record({ event: 'serve.stopped' });
      await this.deps.processes.leave();
    });
  }

  private async recordStart(): Promise<void> {
    if (this.isOnRecord) return;
    await this.deps.audit.record({ event: 'serve.started', detail: { version: programVersion() } });
    this.isOnRecord = true;
  }
}

async function ifThere(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}
