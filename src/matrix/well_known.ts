import { isJsonObject, type JsonObject } from './wire.ts';

/** Keys by which a homeserver points clients to an OAuth login past this proxy (MSC2965). */
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

/** The answer to a login, with its `well_known`, if it has one, in our name. */
export function withOwnWellKnown(body: JsonObject, publicBaseUrl: string): JsonObject {
  if (!isJsonObject(body.well_known)) return body;
  return { ...body, well_known: ownWellKnown(body.well_known, publicBaseUrl) };
}
