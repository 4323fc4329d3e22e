import { Refusal, type RefusalName } from '../matrix/refusals.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { Log } from '../system/log.ts';
import type { Answer } from './answer.ts';

/** After these refusals the connection is closed: a next request could not be told from the rest of the body. */
const LEAVES_BODY_UNREAD: ReadonlySet<RefusalName> = new Set<RefusalName>(['too_large', 'slow_body']);

/**
 * The answer to a request that ended in `error`: a refusal says its own, a store that cannot answer is 503
 * (rule R9), and anything else is our own fault, which is logged and answered with 500.
 */
export function refusalAnswer(error: unknown, log: Log): Answer {
  const refusal = asRefusal(error, log);
  const answer = { status: refusal.status, body: refusal.body() };
  return LEAVES_BODY_UNREAD.has(refusal.refusal) ? { ...answer, headers: { Connection: 'close' } } : answer;
}

function asRefusal(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreUnavailable) {
    log.error({ err: error }, 'The store is unavailable: a request on a gated route was refused');
    return new Refusal('store_unavailable');
  }
  log.error({ err: error }, 'A request failed for an unexpected reason');
  return new Refusal('internal');
}
