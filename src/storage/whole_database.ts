import type { Clock } from '../system/clock.ts';
import type { CommitAnswer, Unit } from './statement.ts';

/** One transaction on all tables of a database, for commands that copy or move it. */
export interface WholeDatabase {
  /** The version of its schema; 0 where it has no tables of this program. */
  version(): Promise<number>;
  /** Brings the schema to the newest version, in this transaction. @throws SchemaTooNew */
  migrate(): Promise<void>;
  /** Runs a unit in this transaction. */
  write<const U extends Unit>(unit: U): Promise<CommitAnswer<U>>;
}

/**
 * How the transaction ends. `read` sees the tables as they are at one moment, and changes nothing; `rehearse` writes
 * and takes everything back.
 */
export type WholeAccess = 'read' | 'write' | 'rehearse';

export interface WholeOptions {
  readonly access: WholeAccess;
  /** The system's, or that of a test: PostgreSQL tells the time itself in the first case. */
  readonly clock: Clock;
}
