import type { JsonObject } from '../matrix/wire.ts';
import { potOf, type Session } from '../uia/session.ts';

const NAME = 'recovery_request';

/** The body of a sign-in in which the claim code of this request was right. No client can send one: pages alone open it. */
export function recoveringBody(body: JsonObject | undefined, requestId: string): JsonObject {
  return { ...body, [NAME]: requestId };
}

/** The request that a sign-in on our pages makes use of; undefined for all others. */
export function recoveryOf({ binding, body }: Session): string | undefined {
  const id = potOf(binding) === 'page' ? body?.[NAME] : undefined;
  return typeof id === 'string' ? id : undefined;
}
