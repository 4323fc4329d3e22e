/** Waits some milliseconds; passed in, so that no test has to wait for a clock. */
export type Pause = (ms: number) => Promise<void>;

/** It keeps no process alive. */
export const systemPause: Pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
