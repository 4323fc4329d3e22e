import { DAY } from '../../system/clock.ts';
import { changeSome, dropSome } from '../dropping.ts';
import {
  ask,
  type Branch,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  when,
} from '../statement.ts';
import { currentVersion } from './accounts.ts';
import { standInLine } from './leases.ts';

/** Used ones are remembered for so long: a code that comes again was stolen. */
const USED_KEPT = 30 * DAY;

/** Who has said yes, under which version of their account, and what their login needs. */
export interface ApprovedLogin {
  readonly userId: string;
  readonly version: number;
  /** Sealed with the identity `oauth-grant:<idHash>:<userId>`. */
  readonly sealedLogin: Buffer;
}

/** What a client asks for. */
interface AskedGrant {
  /** The hash of the code, or of the device code. */
  readonly idHash: string;
  readonly clientId: string;
  /** The tokens that are granted, as they were spelt. */
  readonly scope: string;
  readonly deviceId: string;
}

/** An authorization code: it is approved when it is made. */
export interface NewCode extends AskedGrant, ApprovedLogin {
  readonly nonce: string | null;
  readonly redirectUri: string;
  readonly challenge: string;
}

export interface NewDeviceGrant extends AskedGrant {
  readonly userCodeHash: string;
  /** The address from which it was asked for. */
  readonly askedFrom: string;
  readonly intervalMs: number;
}

/** As stored. Times are ms since the epoch; `now` is that of the database at the look. */
export interface OauthGrant extends AskedGrant {
  readonly kind: 'code' | 'device';
  readonly state: 'pending' | 'approved' | 'denied' | 'used';
  readonly nonce: string | null;
  readonly redirectUri: string | null;
  readonly challenge: string | null;
  readonly askedFrom: string | null;
  readonly userId: string | null;
  readonly version: number | null;
  readonly sealedLogin: Buffer | null;
  /** Until when one request has it to itself. */
  readonly claimedUntil: number;
  readonly usedAt: number | null;
  readonly sessionId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly now: number;
}

/** A device grant at a poll, with the interval that holds from now on. */
export interface PolledGrant {
  readonly intervalMs: number;
}

const COLUMNS = `id_hash AS "idHash", kind, state, client_id AS "clientId", scope, device_id AS "deviceId", nonce,
  redirect_uri AS "redirectUri", challenge, asked_from AS "askedFrom", user_id AS "userId", version,
  sealed_login AS "sealedLogin", claimed_until AS "claimedUntil", used_at AS "usedAt", session_id AS "sessionId", created_at AS "createdAt",
  expires_at AS "expiresAt", CAST(:now AS BIGINT) AS now`;

/** Factors and password of its user were not changed since, and all their sessions were not signed out. */
const STILL_STANDS = `version = ${currentVersion('oauth_grants.user_id')}`;
const IS_PENDING = "kind = 'device' AND state = 'pending' AND expires_at > :now";

/** Keeps a code for `forMs`. Lost if the account has another version by now. In a unit that names the user. */
export function keepCode(code: NewCode, forMs: number): Decision<object> {
  return decide(
    `INSERT INTO oauth_grants (id_hash, kind, state, client_id, scope, device_id, nonce, redirect_uri, challenge,
       user_id, version, sealed_login, created_at, expires_at)
     SELECT :idHash, 'code', 'approved', :clientId, :scope, :deviceId, :nonce, :redirectUri, :challenge, :userId,
       :version, :sealedLogin, :now, :now + :forMs
     WHERE ${currentVersion(':userId')} = :version`,
    { ...code, forMs },
  );
}

/** How many device grants may wait for their user. */
export interface PendingLimits {
  readonly perAddress: number;
  readonly inAll: number;
}

/**
 * Keeps a device grant for `forMs`. The second answer is lost where too many wait, or where its user code is in use. Grants
 * of one moment are kept one after the other, so that each counts those before it.
 */
export function keepDeviceGrant(
  grant: NewDeviceGrant,
  forMs: number,
  limits: PendingLimits,
): readonly [Effect, Decision<object>] {
  return [standInLine('oauth device grant'), keepCounted(grant, forMs, limits)];
}

function keepCounted(
  grant: NewDeviceGrant,
  forMs: number,
  { perAddress, inAll }: PendingLimits,
): Decision<object> {
  return decide(
    `INSERT INTO oauth_grants (id_hash, kind, state, client_id, scope, device_id, user_code_hash, asked_from,
       interval_ms, created_at, expires_at)
     SELECT :idHash, 'device', 'pending', :clientId, :scope, :deviceId, :userCodeHash, :askedFrom,
       :intervalMs, :now, :now + :forMs
     WHERE (SELECT count(*) FROM oauth_grants WHERE asked_from = :askedFrom AND ${IS_PENDING}) < :perAddress
       AND (SELECT count(*) FROM oauth_grants WHERE ${IS_PENDING}) < :inAll
     ON CONFLICT DO NOTHING`,
    { ...grant, forMs, perAddress, inAll },
  );
}

/** Whatever its state, and whether or not it has expired. */
export function findGrant(idHash: string): Query<OauthGrant> {
  return ask(`SELECT ${COLUMNS} FROM oauth_grants WHERE id_hash = :idHash`, { idHash });
}

/** The device grant that waits under this user code. */
export function findPendingDeviceGrant(userCodeHash: string): Query<OauthGrant> {
  return ask(`SELECT ${COLUMNS} FROM oauth_grants WHERE user_code_hash = :userCodeHash AND ${IS_PENDING}`, {
    userCodeHash,
  });
}

/** Its user has said yes, once (R8). Lost if it was decided or has expired. In a unit that names the user. */
export function approveDeviceGrant(idHash: string, approved: ApprovedLogin): Decision<object> {
  return decide(
    `UPDATE oauth_grants
     SET state = 'approved', user_id = :userId, version = :version, sealed_login = :sealedLogin
     WHERE id_hash = :idHash AND ${IS_PENDING} AND ${currentVersion(':userId')} = :version`,
    { idHash, ...approved },
  );
}

/** Its user has said no. Lost if it was decided or has expired. */
export function denyDeviceGrant(idHash: string, userId: string): Decision<object> {
  return decide(
    `UPDATE oauth_grants SET state = 'denied', user_id = :userId WHERE id_hash = :idHash AND ${IS_PENDING}`,
    { idHash, userId },
  );
}

/**
 * A poll of a device grant by its client. Won if the interval has passed since the poll before; lost, the interval
 * grows by `stepMs`. A poll of the future was noted by a clock that was ahead.
 */
export function noteDevicePoll(
  idHash: string,
  clientId: string,
  stepMs: number,
): Branch<PolledGrant, readonly [], Decision<PolledGrant>> {
  const polling = 'polled_at = :now';
  const ofClient = "WHERE id_hash = :idHash AND client_id = :clientId AND kind = 'device'";
  const answering = 'RETURNING interval_ms AS "intervalMs"';
  return when(
    decide<PolledGrant>(
      `UPDATE oauth_grants SET ${polling} ${ofClient}
         AND (polled_at IS NULL OR polled_at > :now OR polled_at + interval_ms <= :now) ${answering}`,
      { idHash, clientId },
    ),
    {
      won: [],
      lost: decide<PolledGrant>(
        `UPDATE oauth_grants SET ${polling}, interval_ms = interval_ms + :stepMs ${ofClient} ${answering}`,
        { idHash, clientId, stepMs },
      ),
    },
  );
}

/**
 * Reserves a grant for one request, which logs in for it (R8): lost where it was used, has expired, another one has it,
 * or its user has changed factors or password since.
 */
export function claimGrant(idHash: string, claimant: string, forMs: number): Decision<OauthGrant> {
  return decide(
    `UPDATE oauth_grants SET claimant = :claimant, claimed_until = :now + :forMs
     WHERE id_hash = :idHash AND state = 'approved' AND expires_at > :now AND claimed_until <= :now AND ${STILL_STANDS}
     RETURNING ${COLUMNS}`,
    { idHash, claimant, forMs },
  );
}

/** Gives it back: what was to be done could not be done now. */
export function giveBackClaim(idHash: string, claimant: string): Effect {
  return effect(
    `UPDATE oauth_grants SET claimant = NULL, claimed_until = 0
     WHERE id_hash = :idHash AND claimant = :claimant AND state = 'approved'`,
    { idHash, claimant },
  );
}

/**
 * Uses a grant up for the session that its claimant has made: lost where another one claimed it meanwhile, or what it
 * stands for was changed. In a unit that names the user.
 */
export function useGrant(idHash: string, claimant: string, sessionId: string): Decision<object> {
  return decide(
    `UPDATE oauth_grants
     SET state = 'used', used_at = :now, session_id = :sessionId, sealed_login = NULL, claimant = NULL, claimed_until = 0
     WHERE id_hash = :idHash AND claimant = :claimant AND state = 'approved' AND ${STILL_STANDS}`,
    { idHash, claimant, sessionId },
  );
}

/** Ends codes and device grants of a user that were not used yet. */
export function endGrantsOf(userId: string): Effect {
  return effect("DELETE FROM oauth_grants WHERE user_id = :userId AND state <> 'used'", { userId });
}

const CLAIMED_TOO_LONG = 'expires_at > :now - :longestMs AND claimed_until > :now + :longestMs';

/** What begins in the future was made by a clock that was ahead, and no one logs in for longer than `longestMs`. */
export function endOauthGrantsOfTheFuture(slackMs: number, longestMs: number): readonly Effect[] {
  return [
    dropSome('oauth_grants', "expires_at > :now + :longestMs AND state <> 'used'", {
      longestMs: longestMs + slackMs,
    }),
    changeSome('oauth_grants', 'claimant = NULL, claimed_until = 0', CLAIMED_TOO_LONG, { longestMs }),
  ];
}

/** Removes those that have expired, and used ones after their time. */
export function pruneGrants(): readonly Effect[] {
  return [
    dropSome('oauth_grants', "expires_at <= :now AND claimed_until <= :now AND state <> 'used'"),
    dropSome('oauth_grants', `expires_at <= :now - ${USED_KEPT}`),
  ];
}
