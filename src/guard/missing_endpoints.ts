import { errcodeOf } from '../homeserver/answer_refusal.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Clock, HOUR } from '../system/clock.ts';
import { Remembered } from '../system/remembered.ts';

/** More than there are guarded paths. */
const MOST = 200;

/**
 * The guarded endpoints that this homeserver does not have, by its own answer: no one should spend a code on one twice
 * (attack 160). Forgotten after an hour, so that an upgrade of the homeserver is noticed.
 */
export class MissingEndpoints {
  private readonly missing: Remembered;

  constructor(clock: Clock) {
    this.missing = new Remembered(clock, HOUR, MOST);
  }

  /** @throws Refusal unrecognized if the homeserver has said that it does not know this path */
  requireKnown(request: ClientRequest): void {
    if (this.missing.has(keyOf(request))) throw new Refusal('unrecognized');
  }

  /** Learns from an answer. What a client writes into a path must not teach us that the endpoint is missing. */
  learnFrom(answer: HomeserverAnswer, request: ClientRequest): void {
    if (Object.keys(request.params).length > 0) return;
    if (answer.status === 404 && errcodeOf(answer) === 'M_UNRECOGNIZED') this.missing.add(keyOf(request));
  }
}

function keyOf({ method, path }: ClientRequest): string {
  return `${method} ${path}`;
}
