import { Refusal, type RefusalName } from '../matrix/refusals.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { Log } from '../system/log.ts';
import type { Answer } from './answer.ts';
import type { RequestRecord } from './request_record.ts';

/** An answer that refuses, and says why. */
export type RefusedAnswer = Answer & Required<Pick<Answer, 'outcome'>>;

/** After these refusals the connection is closed: a next request could not be told from the rest of the body. */
const LEAVES_BODY_UNREAD: ReadonlySet<RefusalName> = new Set<RefusalName>(['too_large', 'slow_body']);

/**
 * The answer to a request that ended in `error`: a refusal says its own, a store that cannot answer is 503
 * (rule R9), and anything else is our own fault, which is logged with its stack and answered with 500.
 */
export function refusalAnswer(error: unknown, log: Log, record?: RequestRecord): RefusedAnswer {
  const refusal = asRefusal(error, log, record);
  const outcome = { ...refusal.outcome, detail: detailOf(refusal) };
  const answer = { status: refusal.status, body: refusal.body(), outcome };
  return LEAVES_BODY_UNREAD.has(refusal.refusal) ? { ...answer, headers: { Connection: 'close' } } : answer;
}

function asRefusal(error: unknown, log: Log, record: RequestRecord | undefined): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreUnavailable) return new Refusal('store_unavailable', { cause: error.cause });
  log.error({ request_id: record?.id, err: error }, 'A request failed for an unexpected reason');
  return new Refusal('internal');
}

/** The refusal's text, and where it has a cause, that one's. */
function detailOf({ message, cause }: Refusal): string {
  if (!(cause instanceof Error)) return message;
  const reason = cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
  return `${message} (${reason})`;
}
