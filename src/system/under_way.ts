/** Waits for all of them; throws what the first of them that failed has thrown. */
export async function allDone(tasks: readonly Promise<unknown>[]): Promise<void> {
  for (const done of await Promise.allSettled(tasks)) if (done.status === 'rejected') throw done.reason;
}

/** Work that may have to be waited for before everything is closed. */
export class UnderWay {
  private readonly promises = new Set<Promise<unknown>>();

  /** Notes work until it is done; hands it through. */
  track<T>(work: Promise<T>): Promise<T> {
    const done = work
      .catch(() => undefined)
      .finally(() => {
        this.promises.delete(done);
      });
    this.promises.add(done);
    return work;
  }

  /** Resolves once no work is under way, failed or not, the work begun meanwhile included. */
  async settled(): Promise<void> {
    while (this.promises.size > 0) await Promise.all(this.promises);
  }
}
