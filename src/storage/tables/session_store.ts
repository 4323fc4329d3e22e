import { dropInParts, dropSome } from '../dropping.ts';
import type { Decision, Driver, Query } from '../statement.ts';
import { openWithin, type SessionLimits } from './session_limits.ts';
import {
  bindBody,
  completeStage,
  endSession,
  endSessionsOfToken,
  type FoundSession,
  findBoundSession,
  findSession,
  findSessionOfHold,
  type SessionRow,
  type SessionRowWithHold,
  type SessionState,
  type StoredSession,
} from './sessions.ts';

export interface SessionStore {
  /** Keeps a session. Beyond a limit the network with most loses the oldest of what is counted there, never this one. */
  open(session: StoredSession, limits: SessionLimits): Promise<void>;
  find(idHash: string): Promise<FoundSession | undefined>;
  /**
   * The newest live session for the same token and target, and for the same body or where one of the two is empty and
   * not frozen; for "the same session again".
   */
  findBound(
    tokenHash: string,
    target: string,
    bodyDigests: readonly string[] | null,
  ): Promise<StoredSession | undefined>;
  /** Finds the live session of a hold, opened with this body, in which most is done. */
  findOfHold(holdId: string, bodyDigests: readonly string[]): Promise<StoredSession | undefined>;
  /** Appends `stage` if stages and body are still what `state` says; false if another request was first. */
  complete(state: SessionState, stage: string): Promise<boolean>;
  /** Binds the first non-empty body; false if there is one already, or a stage is done: that froze the empty one. */
  bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean>;
  /** Ends the session; true for exactly one caller. */
  end(idHash: string): Promise<boolean>;
  /** Ends the sessions of a user that are bound to this token. */
  endOfToken(userId: string, tokenHash: string): Promise<void>;
  dropExpired(): Promise<void>;
}

/** The UIA sessions. */
export class SessionTable implements SessionStore {
  constructor(private readonly driver: Driver) {}

  async open(session: StoredSession, limits: SessionLimits): Promise<void> {
    await this.driver.commit([session.userId], openWithin(session, limits));
  }

  async find(idHash: string): Promise<FoundSession | undefined> {
    const [row] = await this.driver.read(findSession(idHash));
    return row && foundIn(row);
  }

  findBound(tokenHash: string, target: string, bodyDigests: readonly string[] | null) {
    return this.first(findBoundSession(tokenHash, target, bodyDigests));
  }

  findOfHold(holdId: string, bodyDigests: readonly string[]): Promise<StoredSession | undefined> {
    return this.first(findSessionOfHold(holdId, bodyDigests));
  }

  complete(state: SessionState, stage: string): Promise<boolean> {
    return this.wins(completeStage(state, stage));
  }

  bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean> {
    return this.wins(bindBody(idHash, sealedBody, bodyDigest));
  }

  end(idHash: string): Promise<boolean> {
    return this.wins(endSession(idHash));
  }

  async endOfToken(userId: string, tokenHash: string): Promise<void> {
    await this.driver.commit([userId], endSessionsOfToken(userId, tokenHash));
  }

  async dropExpired(): Promise<void> {
    await dropInParts(this.driver, [dropSome('sessions', 'expires_at <= :now')]);
  }

  private async wins(decision: Decision<object>): Promise<boolean> {
    return (await this.driver.commit([], decision)) !== undefined;
  }

  private async first(query: Query<SessionRow>): Promise<StoredSession | undefined> {
    const [row] = await this.driver.read(query);
    return row && sessionIn(row);
  }
}

function foundIn(row: SessionRowWithHold): FoundSession {
  const { heldId, heldUserId, heldDeviceId, heldSince, heldUntil, ...others } = row;
  const { joinKey, foldedJoinKey, ownerJoinKey, sealedGrant, atEnd, ...session } = others;
  if (heldId === null) return sessionIn(session);
  const held = {
    ...{ id: heldId, userId: heldUserId, deviceId: heldDeviceId, createdAt: heldSince, expiresAt: heldUntil },
    ...{ joinKey, foldedJoinKey, ownerJoinKey, sealedGrant, atEnd },
  };
  return { ...sessionIn(session), held };
}

function sessionIn(row: SessionRow): StoredSession {
  return { ...row, flows: JSON.parse(row.flows), completed: JSON.parse(row.completed) };
}
