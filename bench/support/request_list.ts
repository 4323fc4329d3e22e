/** One request to be sent once, and what a right answer looks like. */
export interface ListedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  /** Text that the answer's body must hold. */
  readonly contains: string;
}

/** What sending a list measured. */
export interface ListResult {
  /** Answers after the warm-up. */
  readonly counted: number;
  /** Answers that were not the right one, of all. */
  readonly wrong: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The CPU time of the sender as a part of the time that passed: near 1 it was the limit. */
  readonly ownShare: number;
}
