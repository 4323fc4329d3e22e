import { type Flow, isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';
import type { HomeserverAnswer } from './homeserver.ts';

/**
 * How long the homeserver asks to wait, in milliseconds: `retry_after_ms` of the body (older, but finer), else
 * the `Retry-After` header, which Matrix gives in seconds ("Rate limiting"). Undefined if neither is sound.
 */
export function retryAfterMs(answer: HomeserverAnswer): number | undefined {
  const inBody = answer.json?.retry_after_ms;
  if (typeof inBody === 'number' && Number.isFinite(inBody) && inBody >= 0) return Math.ceil(inBody);
  const inHeader = answer.headers['retry-after'];
  if (typeof inHeader === 'string' && /^\d{1,9}$/.test(inHeader)) return Number(inHeader) * SECOND;
  return undefined;
}

/** A 429 that does not say how long to wait. */
const USUAL_WAIT_MS = 5 * SECOND;

/** How long to wait after a 429, in milliseconds, also where the homeserver does not say. */
export function waitMs(answer: HomeserverAnswer): number {
  return retryAfterMs(answer) ?? USUAL_WAIT_MS;
}

/** The flows of a homeserver's challenge; undefined if the object is not a challenge. Malformed flows are left out. */
export function readFlows(json: JsonObject | undefined): Flow[] | undefined {
  const flows = json?.flows;
  if (!Array.isArray(flows)) return undefined;
  return flows.flatMap((flow) => {
    const stages = isJsonObject(flow) ? flow.stages : undefined;
    return Array.isArray(stages) && stages.every(isString) ? [stages] : [];
  });
}

/** The strings of a list; empty if it is missing or null, as on some homeservers. */
export function readStrings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter(isString) : [];
}

function isString(value: Json): value is string {
  return typeof value === 'string';
}
