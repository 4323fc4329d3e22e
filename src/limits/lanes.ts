import type { ClientAddress } from '../http/client_request.ts';
import { widerNetworkOf } from '../http/network.ts';
import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  browsersOfName,
  type KnownPlace,
  knownPlacesAndLanes,
  notePlace,
  type Place,
  type PlaceKind,
  rememberPlace,
} from '../storage/tables/known_places.ts';
import { HOUR } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';

/** How long a network or browser stays known without a factor being passed there. */
export const PLACES_KEPT_MS = 90 * 24 * HOUR;
/** How many places of each kind are known for each user. */
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

/** A place, and whether a factor was passed there: never, more than an hour ago, or in the last hour. */
export interface SeenPlace extends Place {
  readonly seen: 'never' | 'before' | 'just now';
}

/** The lane in which the attempts of a user count, and what becomes known where one succeeds. */
export interface Way {
  readonly lane: string;
  readonly places: readonly SeenPlace[];
  /** Whether anything was counted in a lane of this user when it was looked up. */
  readonly hasCounts: boolean;
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
    const found = await this.storage.read(knownPlacesAndLanes(way.userId, PLACES_KEPT_MS));
    const known = found.filter(isPlace);
    const network = widerNetworkOf(way.client.ip);
    const places = [this.placeOf(way.userId, 'network', network)];
    if (way.browser !== undefined) places.push(this.placeOf(way.userId, 'browser', way.browser));
    const lane = this.laneOf(way, network, known);
    return {
      lane: counter === CODES ? lane : `${lane}:${counter}`,
      places: places.map((place) => ({ ...place, seen: seenIn(known, place) })),
      hasCounts: known.length < found.length,
    };
  }

  private laneOf(
    { userId, place, deviceId, browser }: CodeWay,
    network: string,
    known: readonly Place[],
  ): string {
    if (place === 'session') return `device:${deviceId ?? '-'}`;
    const inBrowser = browser === undefined ? undefined : this.find(known, userId, 'browser', browser);
    if (inBrowser !== undefined) return `browser:${inBrowser}`;
    const inNetwork = this.find(known, userId, 'network', network);
    return inNetwork === undefined ? 'elsewhere' : `place:${inNetwork}`;
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

/** The beginning of the digest, without the id of its key. */
function nameOf(digest: string): string {
  return digest.slice(digest.lastIndexOf('.') + 1).slice(0, NAME_LENGTH);
}

type Found = Omit<KnownPlace, 'kind'> & { readonly kind: PlaceKind | 'lane' };

function isPlace(found: Found): found is KnownPlace {
  return found.kind !== 'lane';
}

function seenIn(known: readonly KnownPlace[], { kind, digest }: Place): SeenPlace['seen'] {
  const found = known.find((place) => place.kind === kind && place.digest === digest);
  if (found === undefined) return 'never';
  return found.isFresh === 1 ? 'just now' : 'before';
}

/** What a passed factor makes known. */
export function rememberPlaces(userId: string, places: readonly SeenPlace[]): Effect[] {
  return places.flatMap((place) => {
    if (place.seen === 'just now') return [];
    return place.seen === 'before' ? [notePlace(userId, place)] : rememberPlace(userId, place, MOST_PLACES);
  });
}
