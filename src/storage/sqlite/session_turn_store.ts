import type { SessionTurnStore } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

/** Whose turn it is in a session; rows end with their sessions. */
export class SqliteSessionTurnStore implements SessionTurnStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  take(idHash: string, now: number, until: number): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `INSERT INTO session_turns (id_hash, taken_until)
             SELECT id_hash, :until FROM sessions WHERE id_hash = :idHash AND expires_at > :now
           ON CONFLICT (id_hash) DO UPDATE SET taken_until = excluded.taken_until WHERE taken_until <= :now`,
          { idHash, now, until },
        ) === 1,
    );
  }

  giveBack(idHash: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('UPDATE session_turns SET taken_until = 0 WHERE id_hash = :idHash', { idHash });
    });
  }

  leadOn(idHash: string, sealedOnward: Buffer): Promise<void> {
    return this.#commits.write((db) => {
      db.run('UPDATE session_turns SET sealed_onward = :sealedOnward WHERE id_hash = :idHash', {
        idHash,
        sealedOnward,
      });
    });
  }

  onward(idHash: string): Promise<Buffer | undefined> {
    return this.#connection.read(
      (db) =>
        db.get<{ sealed: Buffer | null }>(
          'SELECT sealed_onward AS sealed FROM session_turns WHERE id_hash = :idHash',
          { idHash },
        )?.sealed ?? undefined,
    );
  }
}
