import type { ClientAddress } from '../http/client_request.ts';
import type { Flow, JsonObject } from '../matrix/wire.ts';
import type { Write } from '../storage/statement.ts';
import type { SessionLimits } from '../storage/tables/session_limits.ts';
import type { StoredSession } from '../storage/tables/sessions.ts';
import type { Clock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { isEmptyBody } from './canonical_body.ts';
import {
  beginsWith,
  hashSessionId,
  newSessionId,
  potOf,
  type Session,
  type SessionBinding,
} from './session.ts';
import type { SessionSeals } from './session_seals.ts';

/** What a new session begins with. */
export interface Opening {
  /** At least one; none empty, no stage twice in one. They never change. */
  readonly flows: readonly Flow[];
  /** What was done before: at login the login type used. A beginning of some flow. */
  readonly completed?: readonly string[];
  /** The request's body without its `auth`. */
  readonly body?: JsonObject | undefined;
  readonly holdId?: string;
  /** The version of the account that the flows are for; the held login is taken only under it. */
  readonly version?: number | undefined;
  /** The device of the access token. */
  readonly deviceId?: string | null;
  /** The access token, for pages that have a password judged. */
  readonly token?: string | undefined;
  /** A password that the homeserver has judged, for a page that may have to sign in again. */
  readonly password?: string | undefined;
  /** Who opens it: beyond a limit the network with most loses sessions. */
  readonly client?: ClientAddress;
  /** An end before the usual lifetime, in ms since the epoch: that of the held login. */
  readonly endsAt?: number;
}

/** A session that is opened by a write of its own. */
export interface OpeningSession {
  readonly session: Session;
  readonly write: Write;
}

/** So that someone with only a password or a token cannot crowd out others or fill the disk (attacks 122, 138). */
const SESSIONS_PER_HOLD_OR_TOKEN = 50;
/** Eight held logins with all their sessions, or as many tokens. */
const SESSIONS_PER_USER = 400;

/** How many sessions are kept, of which `perPot` on each kind of door. */
export function limitsOf(perPot: number): SessionLimits {
  return { perPot, perUser: SESSIONS_PER_USER, perHoldOrToken: SESSIONS_PER_HOLD_OR_TOKEN };
}

/** A session that is not kept yet. */
export interface NewSession {
  readonly session: Session;
  readonly stored: StoredSession;
}

/** What new sessions are made with. */
export interface OpeningDeps {
  readonly seals: SessionSeals;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly lifetimeMs: number;
}

/**
 * Makes a session for `binding`.
 * @throws RangeError if the flows are not usable: a mistake of the caller, not of the client.
 */
export function newSession(
  binding: SessionBinding,
  opening: Opening,
  { seals, clock, random, lifetimeMs }: OpeningDeps,
): NewSession {
  const completed = opening.completed ?? [];
  assertUsable(opening.flows, completed);
  const id = newSessionId(random);
  const idHash = hashSessionId(id);
  const now = clock.now();
  const stored: StoredSession = {
    idHash,
    sealedId: seals.seal('id', idHash, id),
    ...binding,
    flows: opening.flows,
    completed,
    ...seals.sealBody(idHash, opening.body),
    sealedPassword: seals.sealGiven('password', idHash, opening.password),
    sealedToken: seals.sealGiven('token', idHash, opening.token),
    deviceId: opening.deviceId ?? null,
    holdId: opening.holdId ?? null,
    version: opening.version ?? null,
    pot: potOf(binding),
    network: seals.networkOf(opening.client),
    address: binding.tokenHash === null ? null : (opening.client?.ip ?? null),
    failures: 0,
    createdAt: now,
    expiresAt: Math.min(now + lifetimeMs, opening.endsAt ?? Number.POSITIVE_INFINITY),
  };
  const body = isEmptyBody(opening.body) ? undefined : opening.body;
  return { session: { ...seals.open({ ...stored, sealedBody: null }, id), body }, stored };
}

function assertUsable(flows: readonly Flow[], completed: readonly string[]): void {
  if (flows.length === 0) throw new RangeError('a session needs a flow');
  if (flows.some((flow) => flow.length === 0)) throw new RangeError('a flow needs a stage');
  if (flows.some((flow) => new Set(flow).size < flow.length))
    throw new RangeError('a stage stands twice in a flow');
  if (!flows.some((flow) => beginsWith(flow, completed)))
    throw new RangeError('no flow begins with what is done');
}
