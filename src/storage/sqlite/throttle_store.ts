import type {
  Admission,
  CountedAttempt,
  StepToSpend,
  ThrottleCounter,
  ThrottleState,
  ThrottleStore,
} from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

/** The counters of failures in a row. */
export class SqliteThrottleStore implements ThrottleStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  admit(attempt: CountedAttempt, step?: StepToSpend): Promise<Admission> {
    const shutAt = attempt.shutAt ?? Number.MAX_SAFE_INTEGER;
    return this.#commits.write((db) => {
      const failures = countFailure(db, attempt, shutAt);
      if (failures === undefined) return refuse(db, attempt, shutAt);
      startWait(db, attempt, attempt.now + attempt.waitAfter(failures));
      return { admitted: true, failures, spent: step !== undefined && spendStep(db, attempt, step) };
    });
  }

  clear(userId: string): Promise<void> {
    return this.#commits.write((db) => clearCounters(db, userId));
  }

  states(userId: string): Promise<ThrottleState[]> {
    return this.#connection.read((db) =>
      db.all<ThrottleState>(
        `SELECT counter, failures, wait_until AS waitUntil FROM throttle
         WHERE user_id = :userId ORDER BY counter`,
        { userId },
      ),
    );
  }
}

/** The one write that accepts a code (R8): no step at or below the last accepted one. */
function spendStep(
  db: Connection,
  { userId, now }: CountedAttempt,
  { authenticatorId, step }: StepToSpend,
): boolean {
  const changes = db.run(
    `UPDATE authenticators SET last_step = :step, last_used_at = :now
     WHERE id = :authenticatorId AND user_id = :userId AND last_step < :step`,
    { userId, authenticatorId, step, now },
  );
  if (changes !== 1) return false;
  clearCounters(db, userId);
  return true;
}

/** Clears all counters of a user. */
export function clearCounters(db: Connection, userId: string): void {
  db.run('DELETE FROM throttle WHERE user_id = :userId', { userId });
}

/** The one write that decides (R8): undefined if the counter is in a wait or shut. */
function countFailure(db: Connection, attempt: CountedAttempt, shutAt: number): number | undefined {
  const { userId, counter, now } = attempt;
  return db.get<{ failures: number }>(
    `INSERT INTO throttle (user_id, counter, failures, wait_until) VALUES (:userId, :counter, 1, 0)
     ON CONFLICT (user_id, counter) DO UPDATE SET failures = failures + 1
       WHERE wait_until <= :now AND failures < :shutAt
     RETURNING failures`,
    { userId, counter, now, shutAt },
  )?.failures;
}

function startWait(db: Connection, { userId, counter }: CountedAttempt, waitUntil: number): void {
  db.run('UPDATE throttle SET wait_until = :waitUntil WHERE user_id = :userId AND counter = :counter', {
    userId,
    counter,
    waitUntil,
  });
}

function refuse(db: Connection, { userId, counter, now }: CountedAttempt, shutAt: number): Admission {
  const state = db.get<{ counter: ThrottleCounter; failures: number; waitUntil: number }>(
    `SELECT counter, failures, wait_until AS waitUntil FROM throttle
     WHERE user_id = :userId AND counter = :counter`,
    { userId, counter },
  );
  const waitMs = Math.max(0, (state?.waitUntil ?? now) - now);
  return { admitted: false, waitMs, shut: (state?.failures ?? 0) >= shutAt };
}
