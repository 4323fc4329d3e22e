import { Refusal } from '../matrix/refusals.ts';
import { errors } from '../system/undici.ts';

const SLOW = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const UNCLEAR = new Set([
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);
const MISUSED = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/**
 * The refusal for a failed exchange with the homeserver. An error that is not a failure of the network is a mistake in
 * our own code and comes back as it is.
 */
export function transportRefusal(error: unknown): unknown {
  if (error instanceof Refusal) return error;
  // Has a code for each complaint, or none.
  if (error instanceof errors.HTTPParserError) return new Refusal('homeserver_unclear', { cause: error });
  const code = codeOf(error);
  if (code === undefined || MISUSED.has(code)) return error;
  if (SLOW.has(code)) return new Refusal('homeserver_slow', { cause: error });
  if (UNCLEAR.has(code)) return new Refusal('homeserver_unclear', { cause: error });
  return new Refusal('homeserver_unreachable', { cause: error });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
