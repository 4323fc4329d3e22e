import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';

const TRANSPORT = ['homeserver_unreachable', 'homeserver_slow', 'homeserver_unclear'] as const;

type TransportRefusal = (typeof TRANSPORT)[number];

/** What asking the homeserver came to, as far as equal sign-ins may know. */
export type LineOutcome =
  /** The grant is held: those who wait join it. */
  | { readonly is: 'held' }
  /** No second factor is needed: those who wait ask for themselves. */
  | { readonly is: 'passed' }
  /** The homeserver's answer. */
  | {
      readonly is: 'refused';
      readonly status: number;
      readonly json: JsonObject | null;
      readonly retryAfter: string | null;
    }
  /** The homeserver could not be asked, or its answer could not be used. */
  | { readonly is: 'failed'; readonly refusal: TransportRefusal };

/** An outcome, with the digest of the sign-in that received it. */
export interface LeftInLine {
  readonly exact: string;
  readonly outcome: LineOutcome;
}

/** The lease of one sign-in to ask the homeserver, shared by all processes. */
export interface LineLeases {
  /** Takes the lease of a line for `forMs`. Undefined if it was taken, else the holder that has it. */
  take(line: string, holder: string, forMs: number): Promise<string | undefined>;
  /** Gives the lease back with what those who wait may hear. */
  leave(line: string, holder: string, left: LeftInLine | undefined): Promise<void>;
  /** Whether `holder` still has the lease; if not, what it left. */
  look(
    line: string,
    holder: string,
  ): Promise<{ readonly is: 'under_way' } | { readonly is: 'over'; readonly left: LeftInLine | undefined }>;
}

/** What the homeserver refused, for those who wait. */
export function refusedOutcome(answer: HomeserverAnswer): LineOutcome {
  const retryAfter = answer.headers['retry-after'];
  return {
    is: 'refused',
    status: answer.status,
    json: answer.json ?? null,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
  };
}

/** The homeserver's answer that an equal sign-in received; undefined if it received none. */
export function refusedAnswer(outcome: LineOutcome): HomeserverAnswer | undefined {
  if (outcome.is !== 'refused') return undefined;
  const headers = outcome.retryAfter === null ? {} : { 'retry-after': outcome.retryAfter };
  return { status: outcome.status, headers, bytes: Buffer.alloc(0), json: outcome.json ?? undefined };
}

/** A homeserver that does not answer is asked once for all who wait; any other error is not shared. */
export function failedOutcome(error: unknown): LineOutcome | undefined {
  if (!(error instanceof Refusal)) return undefined;
  const refusal = TRANSPORT.find((name) => name === error.refusal);
  return refusal && { is: 'failed', refusal };
}

/** The error that an equal sign-in ended in. */
export function thrownOutcome(outcome: LineOutcome): Refusal {
  return new Refusal(outcome.is === 'failed' ? outcome.refusal : 'homeserver_unclear');
}
