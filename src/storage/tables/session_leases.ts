import { ask, type Decision, type Driver, decide, type Effect, effect, type Query } from '../statement.ts';

/*
 * The table has the name of its first release: those of later ones find it by that, and it cannot change while two
 * releases serve one database.
 */

/** No lease is taken for so long, in ms: a time further ahead was written while a clock was wrong, and does not count. */
const LONGEST = 3_600_000;

/** Lost while another request has the lease, or if the session is gone. */
export function leaseSession(idHash: string, until: number): Decision<object> {
  return decide(
    `INSERT INTO session_turns (id_hash, taken_until)
       SELECT id_hash, :until FROM sessions WHERE id_hash = :idHash AND expires_at > :now
     ON CONFLICT (id_hash) DO UPDATE SET taken_until = excluded.taken_until
       WHERE session_turns.taken_until <= :now OR session_turns.taken_until > :now + ${LONGEST}`,
    { idHash, until },
  );
}

export function endSessionLease(idHash: string): Effect {
  return effect('UPDATE session_turns SET taken_until = 0 WHERE id_hash = :idHash', { idHash });
}

/** Keeps the stages that the homeserver asks for. */
export function keepHomeserverStages(idHash: string, sealed: Buffer): Effect {
  return effect('UPDATE session_turns SET sealed_onward = :sealed WHERE id_hash = :idHash', {
    idHash,
    sealed,
  });
}

export function findHomeserverStages(idHash: string): Query<{ readonly sealed: Buffer | null }> {
  return ask('SELECT sealed_onward AS sealed FROM session_turns WHERE id_hash = :idHash', { idHash });
}

/**
 * The lease of a session: while one request has it, no other may have a password judged by the homeserver there, and the
 * further stages that the homeserver asks for are kept until the client answers.
 */
export interface SessionLeaseStore {
  /** Takes the lease until `until`, or until it is given back; false if another request has it or the session is gone. */
  take(idHash: string, until: number): Promise<boolean>;
  giveBack(idHash: string): Promise<void>;
  /** Keeps those stages, sealed with the identity `session-onward:<idHash>`, for the request that has the lease. */
  keepHomeserverStages(idHash: string, sealed: Buffer): Promise<void>;
  /** What was kept; undefined if the session is gone, or the homeserver asked for nothing. It ends with its session. */
  homeserverStages(idHash: string): Promise<Buffer | undefined>;
}

/** The leases of sessions; rows end with their sessions. */
export class SessionLeaseTable implements SessionLeaseStore {
  constructor(private readonly driver: Driver) {}

  async take(idHash: string, until: number): Promise<boolean> {
    return (await this.driver.commit([], leaseSession(idHash, until))) !== undefined;
  }

  async giveBack(idHash: string): Promise<void> {
    await this.driver.commit([], endSessionLease(idHash));
  }

  async keepHomeserverStages(idHash: string, sealed: Buffer): Promise<void> {
    await this.driver.commit([], keepHomeserverStages(idHash, sealed));
  }

  async homeserverStages(idHash: string): Promise<Buffer | undefined> {
    return (await this.driver.read(findHomeserverStages(idHash)))[0]?.sealed ?? undefined;
  }
}
