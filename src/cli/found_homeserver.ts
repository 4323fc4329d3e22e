import { endOfOAuth, OAUTH_METADATA, offersPassword } from '../doctor/homeserver_logins.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';

const ANSWER_MS = 5 * SECOND;

/** A homeserver, as it shows itself to anyone who asks. */
export interface FoundHomeserver {
  /** With its version: `Synapse 1.163.2`. */
  readonly name: string;
  readonly takesPasswords: boolean;
  /** The line of its configuration that ends its own OAuth; undefined if it has none. */
  readonly endsOAuth: string | undefined;
  /** The address that its `.well-known` names to clients. */
  readonly publicUrl: string | undefined;
}

/** Undefined if nothing answers at `url`, or not as a homeserver does. */
export async function findHomeserver(url: string): Promise<FoundHomeserver | undefined> {
  const ask = (path: string) => objectAt(`${url}${path}`);
  const [versions, login, wellKnown, federation, ...metadata] = await Promise.all(
    ['/_matrix/client/versions', '/_matrix/client/v3/login', '/.well-known/matrix/client']
      .concat('/_matrix/federation/v1/version', OAUTH_METADATA)
      .map(ask),
  );
  if (!Array.isArray(versions?.json.versions)) return undefined;
  const name = nameIn(federation?.json) ?? versions.server ?? 'a homeserver';
  return {
    name,
    takesPasswords: offersPassword(login?.json),
    endsOAuth: metadata.some((found) => found !== undefined)
      ? (endOfOAuth(name)?.line ?? 'see its documentation')
      : undefined,
    publicUrl: baseUrlIn(wellKnown?.json),
  };
}

interface Found {
  readonly json: JsonObject;
  readonly server: string | undefined;
}

/** Undefined unless it answers well, with a JSON object, and soon. */
async function objectAt(url: string): Promise<Found | undefined> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    const json: unknown = await answer.json();
    if (!answer.ok || !isJsonObject(json)) return undefined;
    return { json, server: answer.headers.get('server')?.replace('/', ' ') };
  } catch {
    return undefined;
  }
}

/** https://spec.matrix.org/v1.16/server-server-api/#get_matrixfederationv1version */
function nameIn(federation: JsonObject | undefined): string | undefined {
  const server = federation?.server;
  if (!isJsonObject(server) || typeof server.name !== 'string') return undefined;
  return typeof server.version === 'string' ? `${server.name} ${server.version}` : server.name;
}

function baseUrlIn(wellKnown: JsonObject | undefined): string | undefined {
  const homeserver = wellKnown?.['m.homeserver'];
  return isJsonObject(homeserver) && typeof homeserver.base_url === 'string'
    ? homeserver.base_url
    : undefined;
}
