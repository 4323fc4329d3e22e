import type { IncomingMessage } from 'node:http';
import { Refusal } from '../matrix/refusals.ts';
import { headerValues } from './headers.ts';

/**
 * How much of an oversized body is read and thrown away, so that its sender gets to read the 413 instead of a broken
 * connection.
 */
const DISCARDED_BYTES = 32 * 1024 * 1024;

export interface BodyLimits {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds in which the whole body has to arrive. */
  readonly timeMs: number;
  /** What all bodies that are under way share. */
  readonly budget: BodyBudget;
}

/**
 * The whole body of a gated request, in memory that is bounded whatever is sent. Its Content-Type means nothing
 * (rule R2).
 *
 * @throws Refusal `too_large`, `slow_body`, or `bad_json` if the client went away
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  // The request has no body, and emits no end any more (`gateway/http_server.ts`).
  if (request.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    if (announcedLength(request) > DISCARDED_BYTES) {
      reject(new Refusal('too_large'));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;

    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= limits.size) {
        chunks.push(chunk);
        share.add(chunk.length);
      } else chunks.length = 0;
      if (length > DISCARDED_BYTES) settle(() => reject(new Refusal('too_large')));
    };
    const onEnd = (): void =>
      settle(() =>
        length > limits.size ? reject(new Refusal('too_large')) : resolve(Buffer.concat(chunks)),
      );
    const onGone = (): void =>
      settle(() => reject(new Refusal('bad_json', { text: 'The request body ended too early.' })));
    const giveUp = (): void => settle(() => reject(new Refusal('slow_body')));
    const timer = setTimeout(giveUp, limits.timeMs);
    const share = limits.budget.begin(giveUp);

    function settle(finish: () => void): void {
      clearTimeout(timer);
      share.end();
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      finish();
    }

    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

function announcedLength(request: IncomingMessage): number {
  return Number(headerValues(request.rawHeaders, 'content-length')[0] ?? 0);
}

/** What a request costs beside the bytes of its body: its headers, its connection. */
const BYTES_OF_A_REQUEST = 16 * 1024;

/** The part that one unfinished body has in the budget. */
export interface BodyShare {
  /** More of the body has arrived. */
  add(bytes: number): void;
  /** The body is finished, or given up. */
  end(): void;
}

/**
 * The memory that all unfinished bodies of gated requests share (attack 123). When it is used up, the body that has
 * been under way longest is given up: an honest client sends a body of this size at once.
 */
export class BodyBudget {
  /** In the order in which they began. */
  private readonly shares = new Map<BodyShare, { bytes: number; readonly giveUp: () => void }>();
  private total = 0;

  constructor(private readonly mostBytes: number) {}

  /** @param giveUp ends the body; `end` is called for it by then */
  begin(giveUp: () => void): BodyShare {
    const share: BodyShare = { add: (bytes) => this.add(share, bytes), end: () => this.end(share) };
    this.shares.set(share, { bytes: 0, giveUp });
    this.add(share, BYTES_OF_A_REQUEST);
    return share;
  }

  private add(share: BodyShare, bytes: number): void {
    const held = this.shares.get(share);
    if (held === undefined) return;
    held.bytes += bytes;
    this.total += bytes;
    while (this.total > this.mostBytes) this.giveUpOldest();
  }

  private giveUpOldest(): void {
    for (const [share, { giveUp }] of this.shares) {
      this.end(share);
      giveUp();
      return;
    }
  }

  private end(share: BodyShare): void {
    this.total -= this.shares.get(share)?.bytes ?? 0;
    this.shares.delete(share);
  }
}
