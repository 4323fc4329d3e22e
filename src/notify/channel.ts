import { Refusal } from '../matrix/refusals.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';

/** How an attempt went well. */
export type Delivered =
  | 'sent'
  /** The owner has no address or account there any more. */
  | 'no_recipient';

/** What is counted: `failed` is one attempt, `dead` the end of them. */
export type NoticeResult = Delivered | 'failed' | 'dead';

/** One way to send notices. */
export interface ChannelSender {
  /**
   * Sends it once, under its id.
   * @param signal aborted when the time of the attempt is over
   * @throws NotDelivered
   */
  send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered>;
}

/** It was not taken. `isFinal`: it never will be. */
export class NotDelivered extends Error {
  constructor(
    readonly reason: string,
    readonly isFinal = false,
  ) {
    super(reason);
    this.name = 'NotDelivered';
  }
}

/** What an attempt failed with, in one line without foreign or secret text. */
export function failureOf(error: unknown): NotDelivered {
  if (error instanceof NotDelivered) return error;
  // Of the homeserver.
  if (error instanceof Refusal) return new NotDelivered(error.refusal);
  const { code, name } = error as NodeJS.ErrnoException;
  return new NotDelivered(typeof code === 'string' ? code : name);
}

/** Makes one attempt, and gives it up when its time is over, whether or not it listens. @throws NotDelivered */
export async function inTime<T>(tryMs: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const tooSlow = new NotDelivered('no answer in time');
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(tooSlow);
      ending.abort(tooSlow);
    }, tryMs);
  });
  try {
    return await Promise.race([attempt(ending.signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}
