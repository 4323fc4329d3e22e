import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Decision, Effect } from '../storage/statement.ts';
import { openWithin } from '../storage/tables/session_limits.ts';
import type { SessionStore } from '../storage/tables/session_store.ts';
import {
  bindPassword,
  countSessionFailure,
  endFailedSession,
  type FoundSession,
  type StoredSession,
} from '../storage/tables/sessions.ts';
import type { Clock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';
import { isEmptyBody, repeatsOnly } from './canonical_body.ts';
import { limitsOf, type NewSession, newSession, type Opening, type OpeningSession } from './opening.ts';
import {
  hashSessionId,
  isSatisfied,
  isSessionId,
  type LoginBinding,
  newSessionId,
  type Session,
  type SessionBinding,
  standingOf,
} from './session.ts';
import { SessionSeals } from './session_seals.ts';

export interface UiaSettings {
  /** How long a session lives, in ms. */
  readonly lifetimeMs: number;
  /** How many sessions are kept of each kind: pages, logins, tokens. Beyond it a fiftieth goes, of the users with most. */
  readonly maxSessions: number;
  /** With this many failed attempts a session is dead. */
  readonly failureLimit: number;
}

/** Whose a session is. */
export type SessionOwner = Pick<StoredSession, 'userId' | 'tokenHash' | 'deviceId'>;

/** What became of a stage. `gone`: the session ended meanwhile. */
export type Completion =
  | { readonly outcome: 'completed' | 'already' | 'out_of_order'; readonly session: Session }
  | { readonly outcome: 'gone' };

/**
 * User-Interactive Authentication sessions (client-server API, "User-Interactive Authentication API"): what
 * they are bound to, which stage may come next, when they are done. It judges no stage itself, knows no route
 * and does no I/O but with its store; whatever decides there is one conditional write (R8).
 */
export class UiaEngine {
  private readonly seals: SessionSeals;

  constructor(
    private readonly deps: {
      readonly store: SessionStore;
      readonly vault: Vault;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
    private readonly settings: UiaSettings,
  ) {
    this.seals = new SessionSeals(deps.vault);
  }

  /**
   * Opens a session for `binding`.
   * @throws RangeError if the flows are not usable: a mistake of the caller, not of the client.
   */
  async open(binding: SessionBinding, opening: Opening): Promise<Session> {
    const { session, stored } = this.newSession(binding, opening);
    await this.deps.store.open(stored, limitsOf(this.settings.maxSessions));
    return session;
  }

  /**
   * The same as a write, for the unit that makes what the session is for.
   * @throws RangeError as `open`
   */
  opening(binding: SessionBinding, opening: Opening): OpeningSession {
    const { session, stored } = this.newSession(binding, opening);
    return { session, write: openWithin(stored, limitsOf(this.settings.maxSessions)) };
  }

  private newSession(binding: SessionBinding, opening: Opening): NewSession {
    const { clock, random } = this.deps;
    return newSession(binding, opening, {
      seals: this.seals,
      clock,
      random,
      lifetimeMs: this.settings.lifetimeMs,
    });
  }

  /** An id that no session has, for an answer to one that is unknown. */
  unusedId(): string {
    return newSessionId(this.deps.random);
  }

  /**
   * The live session with this id, without a check of who asks: for pages, where the id alone is presented.
   * Undefined if it is unknown, expired or dead.
   */
  async find(sessionId: string): Promise<Session | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    const stored = await this.findStored(hashSessionId(sessionId));
    return stored && { ...this.seals.open(stored, sessionId), held: stored.held };
  }

  /** Whose live session this is, without opening what is sealed in it. Undefined as above. */
  async ownerOf(sessionId: string): Promise<SessionOwner | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    const stored = await this.findStored(hashSessionId(sessionId));
    return stored && { userId: stored.userId, tokenHash: stored.tokenHash, deviceId: stored.deviceId };
  }

  /**
   * Goes on with a session that the client names. `body` is the request's body without its `auth`: the first
   * non-empty one is bound to the session, a later one may only repeat it (attack 46). The first stage that is done
   * freezes the body, the empty one too: what is approved is what is done (attack 148).
   * Undefined if the session is unknown, expired or dead: answer with a fresh challenge.
   * @param requireSound throws at a body that shall not be bound
   * @throws Refusal `foreign_session` if it belongs to another user, token, target or body.
   */
  async resume(
    binding: SessionBinding | LoginBinding,
    sessionId: string,
    body?: JsonObject,
    requireSound?: (body: JsonObject) => void,
  ): Promise<Session | undefined> {
    const session = await this.find(sessionId);
    if (!session) return undefined;
    if (!isBoundTo(session, binding)) throw new Refusal('foreign_session');
    return this.withBody(session, body, requireSound);
  }

  /**
   * The session that the same token and target had before, for a client that asks again without `auth`
   * (Element X does so twice a second). Undefined if there is none, or if it is for another body.
   */
  async again(binding: SessionBinding, body?: JsonObject): Promise<Session | undefined> {
    if (binding.tokenHash === null) return undefined;
    const { tokenHash, target } = binding;
    const digests = isEmptyBody(body) ? null : this.seals.digestsOf(body);
    const stored = await this.deps.store.findBound(tokenHash, target, digests);
    if (!stored || stored.userId !== binding.userId || this.isDead(stored)) return undefined;
    return this.withBody(this.seals.open(stored), body);
  }

  /** The session that an equal sign-in opened on the same held login, for a client that retries its login as it was. */
  async ofHold(holdId: string, body: JsonObject): Promise<Session | undefined> {
    const stored = await this.deps.store.findOfHold(holdId, this.seals.digestsOf(body));
    return stored && !this.isDead(stored) ? this.seals.open(stored) : undefined;
  }

  /** Notes that `stage` is done. Of several at the same moment each counts once, in flow order (R7). */
  async complete(session: Session, stage: string): Promise<Completion> {
    const standing = standingOf(session, stage);
    if (standing === 'done') return { outcome: 'already', session };
    if (standing === 'out_of_order') return { outcome: 'out_of_order', session };
    if (await this.deps.store.complete(session, stage)) {
      return { outcome: 'completed', session: { ...session, completed: [...session.completed, stage] } };
    }
    const current = await this.find(session.id);
    // Another body was bound to the session meanwhile: this stage does not approve that one.
    if (current?.bodyDigest !== session.bodyDigest) return { outcome: 'gone' };
    return this.complete({ ...current, body: session.body }, stage);
  }

  /** Counts a failed attempt, and ends the session with the last one allowed: a part of a unit of work. */
  failed({ idHash }: Session): readonly [Decision<object>, Effect] {
    return [countSessionFailure(idHash), endFailedSession(idHash, this.settings.failureLimit)];
  }

  /** Keeps a password that a page had judged, for the one real request; the last one counts. */
  passwordGiven({ idHash }: Session, password: string): Effect {
    return bindPassword(idHash, this.seals.seal('password', idHash, password));
  }

  /** Ends a session whose stages are all done: true for exactly one caller, who does what it was for. */
  async finish(session: Session): Promise<boolean> {
    if (!isSatisfied(session.flows, session.completed)) return false;
    if (session.expiresAt <= this.deps.clock.now()) return false;
    return this.deps.store.end(session.idHash);
  }

  private async findStored(idHash: string): Promise<FoundSession | undefined> {
    const stored = await this.deps.store.find(idHash);
    return stored && !this.isDead(stored) ? stored : undefined;
  }

  private isDead(stored: StoredSession): boolean {
    return stored.failures >= this.settings.failureLimit;
  }

  private async withBody(
    session: Session,
    body: JsonObject | undefined,
    requireSound?: (body: JsonObject) => void,
  ): Promise<Session | undefined> {
    if (body === undefined || isEmptyBody(body)) return session;
    if (session.body !== undefined) {
      if (!repeatsOnly(body, session.body)) throw new Refusal('foreign_session');
      return session;
    }
    if (session.bodyDigest !== null) {
      if (!this.seals.isBody(session.bodyDigest, body)) throw new Refusal('foreign_session');
      return { ...session, body };
    }
    if (session.completed.length > 0) throw new Refusal('foreign_session');
    requireSound?.(body);
    return this.bind(session, body);
  }

  private async bind(session: Session, body: JsonObject): Promise<Session | undefined> {
    const { sealedBody, bodyDigest } = this.seals.sealBody(session.idHash, body);
    if (bodyDigest !== null && (await this.deps.store.bindBody(session.idHash, sealedBody, bodyDigest))) {
      return { ...session, body, bodyDigest };
    }
    // Another request of this session was first, with a body or with a stage.
    const current = await this.find(session.id);
    return current && this.withBody(current, body);
  }
}

function isBoundTo(session: Session, binding: SessionBinding | LoginBinding): boolean {
  return (
    session.binding.target === binding.target &&
    session.binding.tokenHash === binding.tokenHash &&
    (isLogin(binding) || session.binding.userId === binding.userId)
  );
}

function isLogin(binding: SessionBinding | LoginBinding): binding is LoginBinding {
  return binding.userId === null && binding.tokenHash === null;
}
