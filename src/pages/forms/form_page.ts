import type { ClientRequest } from '../../http/client_request.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import type { Html } from '../shell/html.ts';

/** A page with a form, or the last page of a sign-in or approval. */
export interface FormPage {
  readonly title: string;
  /**
   * @param tokenField belongs into every form
   * @param token what stands in it
   */
  readonly body: (tokenField: Html, token: string) => Html;
  readonly script?: string;
  /** Room for lists and tables: as for a form where it is left out. */
  readonly width?: 'wide';
  /** A wait that the page tells of. */
  readonly retryAfterMs?: number | undefined;
  /** What the page tells of; without it its status is 200. */
  readonly refusal?: PageRefusal | undefined;
  /** What a page that refuses nothing asks for. */
  readonly asks?: 'password' | 'factor' | 'enrolment' | undefined;
}

/** What a page says no to: a refusal, or something that only pages refuse. */
export interface PageRefusal {
  readonly status: number;
  readonly outcome: Outcome;
  /** Goes into a header. */
  readonly retryAfterMs?: number | undefined;
}

/** A code that was not right. The record of the request tells whether it was right once. */
export function refusedCode({ client }: ClientRequest): PageRefusal {
  const isSpent = client.record?.checks.at(-1)?.result === 'spent';
  return { status: 403, outcome: { is: 'refused', reason: isSpent ? 'spent_code' : 'wrong_code' } };
}

/** The header of an answer that tells of a wait. */
export function retryAfter(ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { 'Retry-After': String(Math.ceil(ms / 1000)) };
}
