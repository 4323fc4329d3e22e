import { ask, type Decision, type Driver, decide, type Effect, effect, type Query } from '../statement.ts';

/** No turn is taken for so long, in ms: a time further ahead was written while a clock was wrong, and does not count. */
const LONGEST = 3_600_000;

/** Lost while another request has the turn, or if the session is gone. */
export function takeTurn(idHash: string, until: number): Decision<object> {
  return decide(
    `INSERT INTO session_turns (id_hash, taken_until)
       SELECT id_hash, :until FROM sessions WHERE id_hash = :idHash AND expires_at > :now
     ON CONFLICT (id_hash) DO UPDATE SET taken_until = excluded.taken_until
       WHERE session_turns.taken_until <= :now OR session_turns.taken_until > :now + ${LONGEST}`,
    { idHash, until },
  );
}

export function giveTurnBack(idHash: string): Effect {
  return effect('UPDATE session_turns SET taken_until = 0 WHERE id_hash = :idHash', { idHash });
}

/** Keeps how the homeserver goes on. */
export function leadOn(idHash: string, sealedOnward: Buffer): Effect {
  return effect('UPDATE session_turns SET sealed_onward = :sealedOnward WHERE id_hash = :idHash', {
    idHash,
    sealedOnward,
  });
}

export function findOnward(idHash: string): Query<{ readonly sealed: Buffer | null }> {
  return ask('SELECT sealed_onward AS sealed FROM session_turns WHERE id_hash = :idHash', { idHash });
}

/**
 * The turn of the homeserver in a session: while one request has it, no other may have a password judged there,
 * and what the homeserver asks for besides the password is kept until the client answers.
 */
export interface SessionTurnStore {
  /** Takes the turn until `until`, or until it is given back; false if another request has it or the session is gone. */
  take(idHash: string, until: number): Promise<boolean>;
  giveBack(idHash: string): Promise<void>;
  /** Keeps how the homeserver goes on, sealed with the identity `session-onward:<idHash>`, for the one who has the turn. */
  leadOn(idHash: string, sealedOnward: Buffer): Promise<void>;
  /** What was kept; undefined if the session is gone or was never led on. It ends with its session. */
  onward(idHash: string): Promise<Buffer | undefined>;
}

/** Whose turn it is in a session; rows end with their sessions. */
export class SessionTurnTable implements SessionTurnStore {
  constructor(private readonly driver: Driver) {}

  async take(idHash: string, until: number): Promise<boolean> {
    return (await this.driver.commit([], takeTurn(idHash, until))) !== undefined;
  }

  async giveBack(idHash: string): Promise<void> {
    await this.driver.commit([], giveTurnBack(idHash));
  }

  async leadOn(idHash: string, sealedOnward: Buffer): Promise<void> {
    await this.driver.commit([], leadOn(idHash, sealedOnward));
  }

  async onward(idHash: string): Promise<Buffer | undefined> {
    return (await this.driver.read(findOnward(idHash)))[0]?.sealed ?? undefined;
  }
}
