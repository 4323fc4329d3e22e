import type { SessionStore, StoredSession } from '../../src/storage/stores.ts';

/** A session store in memory. Each method decides in one go, as one SQL statement does. */
export class MemorySessionStore implements SessionStore {
  readonly rows = new Map<string, StoredSession>();

  async open(session: StoredSession, maximum: number): Promise<void> {
    this.rows.set(session.idHash, session);
    const excess = [...this.rows.keys()].slice(0, Math.max(0, this.rows.size - maximum));
    for (const idHash of excess) this.rows.delete(idHash);
  }

  async find(idHash: string, now: number): Promise<StoredSession | undefined> {
    return this.live(now).find((row) => row.idHash === idHash);
  }

  async findBound(tokenHash: string, target: string, now: number): Promise<StoredSession | undefined> {
    return this.live(now).findLast((row) => row.tokenHash === tokenHash && row.target === target);
  }

  async findOfHold(holdId: string, bodyDigest: string, now: number): Promise<StoredSession | undefined> {
    return this.live(now).findLast((row) => row.holdId === holdId && row.bodyDigest === bodyDigest);
  }

  async complete(idHash: string, expected: readonly string[], stage: string): Promise<boolean> {
    return this.change(idHash, (row) =>
      row.completed.join(' ') === expected.join(' ') ? { completed: [...row.completed, stage] } : undefined,
    );
  }

  async bindBody(idHash: string, sealedBody: Buffer, bodyDigest: string): Promise<boolean> {
    return this.change(idHash, (row) => (row.sealedBody ? undefined : { sealedBody, bodyDigest }));
  }

  async bindPassword(idHash: string, sealedPassword: Buffer): Promise<boolean> {
    return this.change(idHash, () => ({ sealedPassword }));
  }

  async countFailure(idHash: string): Promise<number> {
    this.change(idHash, (row) => ({ failures: row.failures + 1 }));
    return this.rows.get(idHash)?.failures ?? Number.MAX_SAFE_INTEGER;
  }

  async end(idHash: string): Promise<boolean> {
    return this.rows.delete(idHash);
  }

  async endForUser(userId: string, tokenHash?: string): Promise<void> {
    for (const row of [...this.rows.values()]) {
      const meant = row.userId === userId && (tokenHash === undefined || row.tokenHash === tokenHash);
      if (meant) this.rows.delete(row.idHash);
    }
  }

  async dropExpired(now: number): Promise<void> {
    for (const row of [...this.rows.values()]) if (row.expiresAt <= now) this.rows.delete(row.idHash);
  }

  async count(): Promise<number> {
    return this.rows.size;
  }

  private live(now: number): StoredSession[] {
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
