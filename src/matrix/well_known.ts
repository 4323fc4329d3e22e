import { isJsonObject, type JsonObject } from './wire.ts';

/** Keys by which a homeserver points clients to an OAuth login that would walk round us (MSC2965). */
const OAUTH_KEYS = ['m.authentication', 'org.matrix.msc2965.authentication'];

/**
 * A discovery document (`/.well-known/matrix/client`, `well_known` of a login) that names us and no OAuth
 * (attack 101). `publicBaseUrl` is what clients use.
 */
export function ownWellKnown(document: JsonObject, publicBaseUrl: string): JsonObject {
  const homeserver = isJsonObject(document['m.homeserver']) ? document['m.homeserver'] : {};
  const own: JsonObject = { ...document, 'm.homeserver': { ...homeserver, base_url: publicBaseUrl } };
  for (const key of OAUTH_KEYS) delete own[key];
  return own;
}
