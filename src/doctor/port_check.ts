import { lookup } from 'node:dns/promises';
import { isJsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';
import { fail, listed, type OutsideCheck, ok, skipped } from './check.ts';
import type { PublicView } from './public_view.ts';

const USUAL_PORTS = [8008, 8448, 8080];
const PATIENCE_MS = 3 * SECOND;
const VERSIONS = '/_matrix/client/versions';

interface Place {
  readonly address: string;
  readonly port: number;
}

export const homeserverPortCheck: OutsideCheck = {
  id: 'homeserver-port',
  about: 'the homeserver cannot be reached past serve at an address of the public host',
  outside: true,
  run: async (view) => {
    const { hostname } = new URL(view.publicUrl);
    const places = await placesToTry(view);
    if (places.length === 0) {
      return skipped(
        `${hostname} has no address other than the homeserver's own, as this machine sees it`,
        `run doctor --outside ${view.publicUrl} on another machine`,
      );
    }
    const found = (await Promise.all(places.map((place) => openWays(view, place)))).flat();
    const tried = places.map(({ address, port }) => `GET ${VERSIONS} at ${address}, port ${port}`);
    if (found.length === 0) return ok(tried, 'none of them answers as a homeserver');
    return fail(
      tried,
      `the homeserver can be reached past serve: ${listed(found)}`,
      'bind the homeserver to loopback or an inner network, and close the port; let 8448 serve federation only',
    );
  },
};

/** Addresses of the public host with each port, but that of the public address and that of `homeserver.url`. */
async function placesToTry({ publicUrl, inside }: PublicView): Promise<Place[]> {
  const open = new URL(publicUrl);
  const homeserver = inside === undefined ? undefined : new URL(inside.homeserverUrl);
  const own = homeserver === undefined ? [] : await addressesOf(homeserver);
  const ports = new Set([...(homeserver === undefined ? [] : [portOf(homeserver)]), ...USUAL_PORTS]);
  ports.delete(portOf(open));
  const isOwn = ({ address, port }: Place): boolean =>
    homeserver !== undefined && port === portOf(homeserver) && own.includes(address);
  return (await addressesOf(open))
    .flatMap((address) => [...ports].map((port) => ({ address, port })))
    .filter((place) => !isOwn(place));
}

async function addressesOf({ hostname }: URL): Promise<string[]> {
  try {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
    return found.map(({ address }) => address);
  } catch {
    return [];
  }
}

function portOf({ protocol, port }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

async function openWays({ web, publicUrl }: PublicView, { address, port }: Place): Promise<string[]> {
  const { hostname } = new URL(publicUrl);
  const ways = ['http', 'https'].map(async (scheme) => {
    const reply = await web.ask(`${scheme}://${hostname}:${port}`, {
      target: VERSIONS,
      address,
      timeoutMs: PATIENCE_MS,
    });
    const features = reply.answered ? reply.json?.unstable_features : undefined;
    const isOurs = isJsonObject(features) && features['org.matrix.2fa'] === true;
    const isHomeserver = reply.answered && Array.isArray(reply.json?.versions) && !isOurs;
    return isHomeserver ? [`${scheme}, ${address} port ${port}`] : [];
  });
  return (await Promise.all(ways)).flat();
}
