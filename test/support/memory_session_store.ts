import type { SessionLimits } from '../../src/storage/tables/session_limits.ts';
import type { SessionStore } from '../../src/storage/tables/session_store.ts';
import type { SessionState, StoredSession } from '../../src/storage/tables/sessions.ts';
import type { Clock } from '../../src/system/clock.ts';

/** A session store in memory. Each method decides in one go, as one SQL statement does. */
export class MemorySessionStore implements SessionStore {
  readonly rows = new Map<string, StoredSession>();

  constructor(private readonly clock: Clock) {}

  async open(session: StoredSession, { perPot }: SessionLimits): Promise<void> {
    this.rows.set(session.idHash, session);
    const inPot = [...this.rows.values()].filter((row) => row.pot === session.pot);
    for (const row of inPot.slice(0, Math.max(0, inPot.length - perPot))) this.rows.delete(row.idHash);
  }

  async find(idHash: string): Promise<StoredSession | undefined> {
    return this.live().find((row) => row.idHash === idHash);
  }

  async findBound(
    tokenHash: string,
    target: string,
    bodyDigests: readonly string[] | null,
  ): Promise<StoredSession | undefined> {
    return this.live().findLast(
      (row) =>
        row.tokenHash === tokenHash &&
        row.target === target &&
        (bodyDigests === null || bodyDigests.includes(row.bodyDigest ?? '') || isUnbound(row)),
    );
  }

  async findOfHold(holdId: string, bodyDigests: readonly string[]): Promise<StoredSession | undefined> {
    const [first] = this.live()
      .filter((row) => row.holdId === holdId && bodyDigests.includes(row.bodyDigest ?? ''))
      .reverse()
      .sort((left, right) => right.completed.length - left.completed.length);
    return first;
  }

  async complete(state: SessionState, stage: string): Promise<boolean> {
    return this.change(state.idHash, (row) =>
      row.completed.join(' ') === state.completed.join(' ') && row.bodyDigest === state.bodyDigest
        ? { completed: [...row.completed, stage] }
        : undefined,
    );
  }

  async bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean> {
    return this.change(idHash, (row) => (isUnbound(row) ? { sealedBody, bodyDigest } : undefined));
  }

  /** A failed attempt; with the last one allowed the engine takes the session for dead. */
  fail(idHash: string): void {
    this.change(idHash, (row) => ({ failures: row.failures + 1 }));
  }

  async end(idHash: string): Promise<boolean> {
    return this.rows.delete(idHash);
  }

  async endOfToken(userId: string, tokenHash: string): Promise<void> {
    for (const row of [...this.rows.values()]) {
      if (row.userId === userId && row.tokenHash === tokenHash) this.rows.delete(row.idHash);
    }
  }

  async dropExpired(): Promise<void> {
    const now = this.clock.now();
    for (const row of [...this.rows.values()]) if (row.expiresAt <= now) this.rows.delete(row.idHash);
  }

  async count(): Promise<number> {
    return this.rows.size;
  }

  private live(): StoredSession[] {
    const now = this.clock.now();
    return [...this.rows.values()].filter((row) => row.expiresAt > now);
  }

  private change(
    idHash: string,
    decide: (row: StoredSession) => Partial<StoredSession> | undefined,
  ): boolean {
    const row = this.rows.get(idHash);
    const changes = row && decide(row);
    if (!row || !changes) return false;
    this.rows.set(idHash, { ...row, ...changes });
    return true;
  }
}

/** Whether a body can still be bound: there was none, and no stage is done. */
function isUnbound(row: StoredSession): boolean {
  return row.bodyDigest === null && row.completed.length === 0;
}
