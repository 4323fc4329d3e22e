import { Refusal } from '../matrix/refusals.ts';
import type { Flow, JsonObject } from '../matrix/wire.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { SessionPot } from '../storage/tables/sessions.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';

/** Who and what a session is bound to. All of it is compared on every use (attacks 44, 45). */
export interface SessionBinding {
  readonly target: string;
  readonly userId: string;
  /** SHA-256 of the access token; null at login. */
  readonly tokenHash: string | null;
}

/** What a request presents at login: the user is known there only by the session. */
export interface LoginBinding {
  readonly target: string;
  readonly userId: null;
  readonly tokenHash: null;
}

/** A live session, as the engine hands it out. It is a snapshot: the store holds the truth. */
export interface Session {
  /** The plain id, for the client. Never log it (R11). */
  readonly id: string;
  readonly idHash: string;
  readonly binding: SessionBinding;
  readonly flows: readonly Flow[];
  /** In flow order. */
  readonly completed: readonly string[];
  /**
   * The first non-empty body without its `auth`: what is done in the end. Undefined until there was one, and where
   * it is too large to be kept and this request does not repeat it.
   */
  readonly body: JsonObject | undefined;
  /** Keyed digest of the first non-empty body; null until there was one. */
  readonly bodyDigest: string | null;
  /** The password that a page had judged; undefined if none did. */
  readonly password: string | undefined;
  /** The access token that it was opened under, where a page may need it. */
  readonly token: string | undefined;
  /** The device of the access token, for the audit. */
  readonly deviceId: string | null;
  /** The held login that this session releases; null on guarded endpoints. */
  readonly holdId: string | null;
  /** That login, as it was found with the session; undefined where it is gone, or the session was not found by its id. */
  readonly held?: HeldLogin | undefined;
  /** The version of the account under which it was opened; null where no second factor is owed for a held login. */
  readonly version: number | null;
  /** The address that it was opened from; null where no page tells it. */
  readonly address: string | null;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Sessions of our own sign-in page: no client knows them. */
const PAGE_TARGET = 'page ';

/** Which sessions one with this binding is counted with. */
export function potOf({ tokenHash, target }: SessionBinding): SessionPot {
  if (tokenHash !== null) return 'token';
  return target.startsWith(PAGE_TARGET) ? 'page' : 'login';
}

/**
 * Asks for a body that is too large to be kept, before anything is judged that needs it.
 * @throws Refusal missing_param; the session stays as it is
 */
export function requireBody({ body, bodyDigest }: Session): void {
  if (body !== undefined || bodyDigest === null) return;
  throw new Refusal('missing_param', {
    text: 'This request is too large to be kept between its stages: repeat all of it beside `auth`.',
  });
}

/** Where a stage stands in a session: `next` may be tried, `done` is not retried, all else is a wrong order (R7). */
export type StageStanding = 'next' | 'done' | 'out_of_order';

/** Where `stage` stands in `session`. Look before judging a code, so that none is spent out of order. */
export function standingOf(session: Pick<Session, 'flows' | 'completed'>, stage: string): StageStanding {
  if (session.completed.includes(stage)) return 'done';
  return nextStages(session.flows, session.completed).includes(stage) ? 'next' : 'out_of_order';
}

/** The stages that may come next: for each flow that what is completed is a beginning of, the one after it. */
export function nextStages(flows: readonly Flow[], completed: readonly string[]): string[] {
  const next = flows
    .filter((flow) => beginsWith(flow, completed) && flow.length > completed.length)
    .map((flow) => flow[completed.length] as string);
  return [...new Set(next)];
}

/** Whether `completed` is exactly one of the flows, in its order. */
export function isSatisfied(flows: readonly Flow[], completed: readonly string[]): boolean {
  return flows.some((flow) => flow.length === completed.length && beginsWith(flow, completed));
}

/** Whether `flow` begins with the stages of `completed`, in their order. */
export function beginsWith(flow: Flow, completed: readonly string[]): boolean {
  return completed.length <= flow.length && completed.every((stage, index) => flow[index] === stage);
}

/** Our session ids begin like this; the homeserver's do not. */
const PREFIX = 'm2fa_';
/** The prefix and 160 bits of base64url. */
const PATTERN = /^m2fa_[A-Za-z0-9_-]{27}$/;

/** A new, unguessable session id. */
export function newSessionId(random: RandomSource): string {
  return PREFIX + randomId(random);
}

/** Whether `id` is written like our session ids. Another one may belong to the homeserver. */
export function isSessionId(id: string): boolean {
  return PATTERN.test(id);
}

/** The key that a session is stored under: with the id itself a reader of the database could use the session (R11). */
export function hashSessionId(id: string): string {
  return hashToken(id);
}
