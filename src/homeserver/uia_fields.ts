import type { Flow, Json, JsonObject } from '../matrix/wire.ts';
import { isJsonObject } from '../matrix/wire.ts';

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
