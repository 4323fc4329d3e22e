import type { ClientAddress } from '../http/client_request.ts';
import { widerNetworkOf } from '../http/network.ts';
import type { Storage } from '../storage/storage.ts';
import {
  browsersOfName,
  knownPlaces,
  type Place,
  type PlaceKind,
  rememberPlace,
} from '../storage/tables/known_places.ts';
import { HOUR } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';

/** How long a network or browser stays known without a factor being passed there. */
export const PLACES_KEPT_MS = 90 * 24 * HOUR;
/** Of each kind, for each user. */
const MOST_PLACES = 16;
/** The counter of one-time codes. */
const CODES = 'codes';
/** Characters of a digest in the name of a lane. */
const NAME_LENGTH = 16;

const PURPOSES: Readonly<Record<PlaceKind, string>> = { network: 'known-network', browser: 'known-browser' };

/** How a code arrives. */
export interface CodeWay {
  readonly userId: string;
  /** `login`: the password was proven. `session`: there is a valid access token. */
  readonly place: 'login' | 'session';
  readonly client: ClientAddress;
  /** The device of the access token, if it has one. */
  readonly deviceId?: string | null;
  /** The browser's mark, from its cookie; only pages know it. */
  readonly browser?: string | undefined;
}

/** The lane in which the attempts of a user count, and what becomes known where one succeeds. */
export interface Way {
  readonly lane: string;
  readonly places: readonly Place[];
}

/**
 * Says by which lane a code comes, so that guessing in one does not keep the owner out of another: the device of
 * a token; at a sign-in a browser or network in which this user has passed a factor, else one lane for all places.
 */
export class Lanes {
  constructor(
    private readonly storage: Pick<Storage, 'read' | 'commit'>,
    private readonly vault: Vault,
  ) {}

  /** @param counter of the factor: that of one-time codes has no name in its lanes */
  async of(way: CodeWay, counter = CODES): Promise<Way> {
    const { lane, places } = await this.laneOf(way);
    return { lane: counter === CODES ? lane : `${lane}:${counter}`, places };
  }

  private async laneOf(way: CodeWay): Promise<Way> {
    const { userId, place, deviceId, browser, client } = way;
    const network = widerNetworkOf(client.ip);
    const places = [this.placeOf(userId, 'network', network)];
    if (browser !== undefined) places.push(this.placeOf(userId, 'browser', browser));
    if (place === 'session') return { lane: `device:${deviceId ?? '-'}`, places };
    const known = await this.storage.read(knownPlaces(userId, PLACES_KEPT_MS));
    const inBrowser = browser === undefined ? undefined : this.find(known, userId, 'browser', browser);
    if (inBrowser !== undefined) return { lane: `browser:${inBrowser}`, places };
    const inNetwork = this.find(known, userId, 'network', network);
    return { lane: inNetwork === undefined ? 'elsewhere' : `place:${inNetwork}`, places };
  }

  /**
   * The name of a browser in which a user of this name has passed a factor; undefined if it is not known.
   * @param foldedNames local parts, folded
   */
  async knownBrowser(foldedNames: readonly string[], browser: string): Promise<string | undefined> {
    for (const name of foldedNames) {
      const known = await this.storage.read(browsersOfName(name, PLACES_KEPT_MS));
      const found = known.find(({ userId, digest }) =>
        this.digestsOf(userId, 'browser', browser).includes(digest),
      );
      if (found !== undefined) return nameOf(found.digest);
    }
    return undefined;
  }

  /** A set-up was confirmed from here: that counts like a passed factor. */
  async remember(userId: string, client: ClientAddress): Promise<void> {
    const place = this.placeOf(userId, 'network', widerNetworkOf(client.ip));
    await this.storage.commit([userId], rememberPlace(userId, place, MOST_PLACES));
  }

  private placeOf(userId: string, kind: PlaceKind, value: string): Place {
    return { kind, digest: this.vault.digest(PURPOSES[kind], JSON.stringify([userId, value])) };
  }

  private digestsOf(userId: string, kind: PlaceKind, value: string): readonly string[] {
    return this.vault.digests(PURPOSES[kind], JSON.stringify([userId, value]), PLACES_KEPT_MS);
  }

  /** The name of a known place; it may have been kept under an older key. */
  private find(known: readonly Place[], userId: string, kind: PlaceKind, value: string): string | undefined {
    const digests = this.digestsOf(userId, kind, value);
    const found = known.find((place) => place.kind === kind && digests.includes(place.digest));
    return found && nameOf(found.digest);
  }
}

/** Of what follows the id of its key. */
function nameOf(digest: string): string {
  return digest.slice(digest.lastIndexOf('.') + 1).slice(0, NAME_LENGTH);
}

/** What a passed factor makes known. */
export function rememberPlaces(userId: string, places: readonly Place[]) {
  return places.map((place) => rememberPlace(userId, place, MOST_PLACES));
}
