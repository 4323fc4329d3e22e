import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** What is known of a user who may get notices. */
export interface NoticeOwner {
  readonly language: string | null;
  readonly roomId: string | null;
}

export function findNoticeOwner(userId: string): Query<NoticeOwner> {
  return ask('SELECT language, room_id AS "roomId" FROM notice_owners WHERE user_id = :userId', { userId });
}

/**
 * Won where a user is to be told now of wrong codes: a counter of theirs waits, and they were not told within `everyMs`.
 * A time in the future was written while a clock was wrong.
 */
export function takeFailuresTold(userId: string, everyMs: number): Decision<object> {
  return decide(
    `INSERT INTO notice_owners (user_id, failures_at)
     SELECT :userId, :now
     WHERE EXISTS (SELECT 1 FROM lanes WHERE user_id = :userId AND wait_until > :now)
     ON CONFLICT (user_id) DO UPDATE SET failures_at = excluded.failures_at
       WHERE notice_owners.failures_at IS NULL OR notice_owners.failures_at <= :now - :everyMs
         OR notice_owners.failures_at > :now`,
    { userId, everyMs },
  );
}

/** How long after one another the addresses of a user are asked for. */
export interface AskingTimes {
  readonly usualMs: number;
  /** For this time: how long ago the last one must be. */
  readonly everyMs: number;
  /** How long the asking may take: after that another one may ask, as this one was killed. */
  readonly askingMs: number;
}

/** Won by the one who is to ask the homeserver for a user's addresses: no one did within `everyMs`. */
export function takeAddressesAsked(userId: string, times: AskingTimes): Decision<object> {
  return decide(
    `INSERT INTO notice_owners (user_id, asked_at) VALUES (:userId, :now - :usualMs + :askingMs)
     ON CONFLICT (user_id) DO UPDATE SET asked_at = excluded.asked_at
       WHERE notice_owners.asked_at IS NULL OR notice_owners.asked_at <= :now - :everyMs
         OR notice_owners.asked_at > :now`,
    { userId, ...times },
  );
}

/** The homeserver has said which they are. */
export function markAddressesAsked(userId: string): Effect {
  return effect('UPDATE notice_owners SET asked_at = :now WHERE user_id = :userId', { userId });
}

/** The homeserver did not say: the next request of the user asks it again. */
export function forgetAddressesAsked(userId: string): Effect {
  return effect('UPDATE notice_owners SET asked_at = NULL WHERE user_id = :userId', { userId });
}

export function rememberLanguage(userId: string, language: string): Effect {
  return effect(
    `INSERT INTO notice_owners (user_id, language) VALUES (:userId, :language)
     ON CONFLICT (user_id) DO UPDATE SET language = excluded.language`,
    { userId, language },
  );
}

export function rememberRoom(userId: string, roomId: string): Effect {
  return effect(
    `INSERT INTO notice_owners (user_id, room_id) VALUES (:userId, :roomId)
     ON CONFLICT (user_id) DO UPDATE SET room_id = excluded.room_id`,
    { userId, roomId },
  );
}

/** The next notice makes another room, unless that is known by now. */
export function forgetRoom(userId: string, roomId: string): Effect {
  return effect('UPDATE notice_owners SET room_id = NULL WHERE user_id = :userId AND room_id = :roomId', {
    userId,
    roomId,
  });
}

/** A mail address of a user; the address is sealed with the identity `notice-address:<id>:<user>`. */
export interface NoticeAddress {
  readonly id: string;
  readonly userId: string;
  readonly sealedAddress: Buffer;
}

/** In the order in which they became known; also those that the homeserver no longer names. */
export function findNoticeAddresses(userId: string): Query<NoticeAddress> {
  return ask(
    `SELECT id, user_id AS "userId", sealed_address AS "sealedAddress" FROM notice_addresses
     WHERE user_id = :userId ORDER BY rowid`,
    { userId },
  );
}

export function findNoticeAddress(id: string): Query<NoticeAddress> {
  return ask(
    `SELECT id, user_id AS "userId", sealed_address AS "sealedAddress" FROM notice_addresses WHERE id = :id`,
    { id },
  );
}

/** Nothing, if it is there. */
export function addNoticeAddress({ id, userId, sealedAddress }: NoticeAddress): Effect {
  return effect(
    `INSERT INTO notice_addresses (id, user_id, sealed_address) VALUES (:id, :userId, :sealedAddress)
     ON CONFLICT (id) DO NOTHING`,
    { id, userId, sealedAddress },
  );
}

/** The homeserver names it, or no longer does. */
export function markNoticeAddress(id: string, isNamed: boolean): Effect {
  return isNamed
    ? effect('UPDATE notice_addresses SET gone_at = NULL WHERE id = :id', { id })
    : effect('UPDATE notice_addresses SET gone_at = coalesce(gone_at, :now) WHERE id = :id', { id });
}

/** Addresses that went `keptMs` ago are no longer told. */
export function dropGoneAddresses(keptMs: number): Effect {
  return dropSome('notice_addresses', 'gone_at <= :now - :keptMs', { keptMs });
}
