import { changeSome } from '../dropping.ts';
import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Sql,
} from '../statement.ts';
import { currentVersion } from './accounts.ts';
import { dropRow, leaseEnded, leaseRowUntil } from './ended_rows.ts';

/** How many pages of one session have a key of their own; beyond it the oldest loses its key. */
const KEYS_KEPT = 5;
/** A hash in hex and the blank behind it. */
const KEY_LENGTH = 65;

/** A sign-in on the account page, which keeps its login's token. */
export interface NewPageSession {
  readonly id: string;
  readonly cookieHash: string;
  readonly userId: string;
  readonly deviceId: string | null;
  readonly tokenHash: string;
  /** The token, sealed with the identity `page-session:<id>:<userId>`. */
  readonly sealedToken: Buffer;
  /** The kind of the second factor that was given; null where the account had none. */
  readonly factor: string | null;
  readonly lifetimeMs: number;
  readonly idleMs: number;
  /** How long the factor of the sign-in stands; 0 for not at all. */
  readonly stepUpMs: number;
}

/** A live page session as stored. */
export interface PageSession {
  readonly id: string;
  readonly userId: string;
  readonly deviceId: string | null;
  readonly tokenHash: string;
  readonly sealedToken: Buffer;
  readonly factor: string | null;
  /** Hashes of the keys of its pages, each with a blank behind it. */
  readonly pageKeys: string;
  /** Until when its step-up stands, and by which factor; null without one. */
  readonly stepUpUntil: number | null;
  readonly stepUpBy: string | null;
  readonly expiresAt: number;
}

/** A page session that has ended and is to be logged out. */
export interface EndedPageSession extends PageSession {
  /** How often that was begun, this time included. */
  readonly attempts: number;
}

const VERSION = currentVersion('page_sessions.user_id');
const IS_STEPPED_UP = `step_up_until > :now AND step_up_version = ${VERSION}`;

const COLUMNS = `id, user_id AS "userId", device_id AS "deviceId", token_hash AS "tokenHash",
  sealed_token AS "sealedToken", factor, page_keys AS "pageKeys",
  CASE WHEN ${IS_STEPPED_UP} THEN step_up_until END AS "stepUpUntil",
  CASE WHEN ${IS_STEPPED_UP} THEN step_up_by END AS "stepUpBy", expires_at AS "expiresAt"`;

/** In a unit that names the user, so that no change of factors comes between the proof and its step-up. */
export function keepPageSession(session: NewPageSession): Effect {
  return effect(
    bothDialects(
      ({
        least,
      }) => `INSERT INTO page_sessions (id, cookie_hash, user_id, device_id, token_hash, sealed_token, factor,
         step_up_until, step_up_version, step_up_by, created_at, expires_at, ends_at)
       VALUES (:id, :cookieHash, :userId, :deviceId, :tokenHash, :sealedToken, :factor,
         :now + :stepUpMs, ${currentVersion(':userId')}, :factor, :now, :now + :lifetimeMs,
         :now + ${least}(:lifetimeMs, :idleMs))`,
    ),
    { ...session },
  );
}

/** The live session with this cookie goes on for so long. Lost if it has ended. */
export function usePageSession(cookieHash: string, idleMs: number): Decision<PageSession> {
  return decide(
    bothDialects(
      ({ least }) => `UPDATE page_sessions SET ends_at = ${least}(:now + :idleMs, expires_at)
       WHERE cookie_hash = :cookieHash AND ends_at > :now RETURNING ${COLUMNS}`,
    ),
    { cookieHash, idleMs },
  );
}

/** Adds the key of a page. Lost if the session has ended. */
export function addPageKey(id: string, keyHash: string): Decision<object> {
  return decide(
    `UPDATE page_sessions SET page_keys = substr(:keyHash || ' ' || page_keys, 1, ${KEYS_KEPT * KEY_LENGTH})
     WHERE id = :id AND ends_at > :now`,
    { id, keyHash },
  );
}

/** The live sessions that keep this token; there is one at most. */
export function findPageSessionOfToken(tokenHash: string): Query<PageSession> {
  return ask(`SELECT ${COLUMNS} FROM page_sessions WHERE token_hash = :tokenHash AND ends_at > :now`, {
    tokenHash,
  });
}

/** Begins a step-up, or prolongs it, by a factor that was accepted in a session that is still there. */
export function startStepUp(
  id: string,
  { by, stepUpMs, idHash }: { readonly by: string; readonly stepUpMs: number; readonly idHash: string },
): Effect {
  return effect(
    `UPDATE page_sessions SET step_up_until = :now + :stepUpMs, step_up_version = ${VERSION}, step_up_by = :by
     WHERE id = :id AND ends_at > :now AND EXISTS (SELECT 1 FROM sessions WHERE id_hash = :idHash)`,
    { id, by, stepUpMs, idHash },
  );
}

/** What a step-up stands for has just grown by one version, by an act of its own page: it goes on. */
export function keepStepUp(id: string): Effect {
  return effect(
    `UPDATE page_sessions SET step_up_version = step_up_version + 1
     WHERE id = :id AND step_up_until > :now AND step_up_version + 1 = ${VERSION}`,
    { id },
  );
}

/** In SQL, whether the session with the id `:pageSession` has a step-up. */
export const HAS_STEP_UP = `EXISTS (SELECT 1 FROM page_sessions
  WHERE id = :pageSession AND ends_at > :now AND ${IS_STEPPED_UP})`;

/** @param which in SQL, of our own words only */
function ending(which: string): Sql {
  return bothDialects(
    ({ least }) => `UPDATE page_sessions SET ends_at = ${least}(ends_at, :now) WHERE ${which}`,
  );
}

/** Ends a session; the next sweep logs it out. Lost if it has ended before. */
export function endPageSession(cookieHash: string): Decision<object> {
  return decide(ending('cookie_hash = :cookieHash AND ends_at > :now'), { cookieHash });
}

export function endPageSessionsOf(userId: string): Effect {
  return effect(ending('user_id = :userId AND ends_at > :now'), { userId });
}

export function endAllPageSessions(): Effect {
  return effect(
    bothDialects(
      ({ least }) => `UPDATE page_sessions SET ends_at = ${least}(ends_at, :now), leased_until = 0`,
    ),
  );
}

/** Ends what was made by a clock that was ahead, and frees what waits for longer than a logout may. */
export function endPageSessionsOfTheFuture(slackMs: number, longestPauseMs: number): readonly Effect[] {
  return [
    changeSome(
      'page_sessions',
      'ends_at = :now, leased_until = 0',
      `created_at > :now + :slackMs
         AND (ends_at > :now OR leased_until > :now + :longestPauseMs + :slackMs)`,
      { slackMs, longestPauseMs },
    ),
    changeSome('page_sessions', 'leased_until = :now', 'leased_until > :now + :longestPauseMs + :slackMs', {
      slackMs,
      longestPauseMs,
    }),
  ];
}

/** Leases ended ones to one sweep, which logs them out. */
export function leaseEndedPageSessions(leaseUntil: number, limit: number): Query<EndedPageSession> {
  return leaseEnded('page_sessions', COLUMNS, { leaseUntil, limit });
}

/** Gives an ended one out again no sooner than at `until`. */
export function leasePageSessionUntil(id: string, until: number): Effect {
  return leaseRowUntil('page_sessions', id, until);
}

/** One is logged out: it is gone. */
export function dropPageSession(id: string): Effect {
  return dropRow('page_sessions', id);
}
