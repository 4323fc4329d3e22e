import { validator } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { GUARDED_ENDPOINTS } from './guarded_endpoints.ts';

/** Whether `body`, without `auth`, is something that the guarded endpoint of `route` can carry out; true for other routes. */
export function isSoundBody(route: string, body: JsonObject): boolean {
  const endpoint = GUARDED_ENDPOINTS.find((each) => each.route === route);
  return endpoint === undefined || validator(endpoint.shape)(body);
}
