import { HOUR } from '../../system/clock.ts';
import { dropSome } from '../dropping.ts';
import { ask, type Effect, effect, type Query } from '../statement.ts';

export type PlaceKind = 'network' | 'browser';

/** A network or browser, as a keyed digest of it with the user. */
export interface Place {
  readonly kind: PlaceKind;
  readonly digest: string;
}

/** A place in which this user has passed a factor. */
export interface KnownPlace extends Place {
  /** 1 if that is not an hour ago: a further sign-in from there need not be written. */
  readonly isFresh: number;
}

/** Where this user has passed a factor in the last `keptMs`. */
export function knownPlaces(userId: string, keptMs: number): Query<KnownPlace> {
  return ask(FIND, { userId, keptMs });
}

const FIND = `SELECT kind, digest, CASE WHEN last_used_at BETWEEN :now - ${HOUR} AND :now THEN 1 ELSE 0 END AS "isFresh"
  FROM known_places WHERE user_id = :userId AND last_used_at > :now - :keptMs`;
const FIND_WITH_LANES = `${FIND} UNION ALL SELECT 'lane', lane, 0 FROM lanes WHERE user_id = :userId`;

/** The same with a row of the kind `lane` for each lane of the user. */
export function knownPlacesAndLanes(
  userId: string,
  keptMs: number,
): Query<Omit<KnownPlace, 'kind'> & { readonly kind: PlaceKind | 'lane' }> {
  return ask(FIND_WITH_LANES, { userId, keptMs });
}

/** The browsers in which users of this name have passed a factor in the last `keptMs`. */
export function browsersOfName(
  foldedLocalpart: string,
  keptMs: number,
): Query<{ readonly userId: string; readonly digest: string }> {
  return ask(
    `SELECT known_places.user_id AS "userId", digest FROM known_places
       JOIN accounts ON accounts.user_id = known_places.user_id
     WHERE folded_localpart = :foldedLocalpart AND kind = 'browser' AND last_used_at > :now - :keptMs`,
    { foldedLocalpart, keptMs },
  );
}

/**
 * Remembers where a user has passed a factor, to the hour: a further sign-in from there writes nothing. Of each kind the
 * `most` used last are kept.
 */
export function rememberPlace(userId: string, place: Place, most: number): readonly [Effect, Effect] {
  const { kind } = place;
  return [
    notePlace(userId, place),
    effect(
      `DELETE FROM known_places WHERE user_id = :userId AND kind = :kind AND digest NOT IN (
         SELECT digest FROM known_places WHERE user_id = :userId AND kind = :kind
         ORDER BY last_used_at DESC, digest LIMIT :most)`,
      { userId, kind, most },
    ),
  ];
}

/** The same for a place that is known already: there are not more of them afterwards. */
export function notePlace(userId: string, { kind, digest }: Place): Effect {
  return effect(
    `INSERT INTO known_places (user_id, kind, digest, last_used_at) VALUES (:userId, :kind, :digest, :now)
     ON CONFLICT (user_id, kind, digest) DO UPDATE SET last_used_at = excluded.last_used_at
       WHERE known_places.last_used_at NOT BETWEEN excluded.last_used_at - ${HOUR} AND excluded.last_used_at`,
    { userId, kind, digest },
  );
}

export function forgetPlaces(userId: string): Effect {
  return effect('DELETE FROM known_places WHERE user_id = :userId', { userId });
}

/** Forgets all places of a user who has no authenticator left. */
export function forgetPlacesWithoutFactor(userId: string): Effect {
  return effect(
    `DELETE FROM known_places WHERE user_id = :userId
       AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)`,
    { userId },
  );
}

export function dropOldPlaces(keptMs: number): Effect {
  return dropSome('known_places', 'last_used_at <= :now - :keptMs', { keptMs });
}
